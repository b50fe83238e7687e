package parley.e2e;

import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.springframework.messaging.converter.MappingJackson2MessageConverter;
import org.springframework.messaging.simp.stomp.StompCommand;
import org.springframework.messaging.simp.stomp.StompFrameHandler;
import org.springframework.messaging.simp.stomp.StompHeaders;
import org.springframework.messaging.simp.stomp.StompSession;
import org.springframework.messaging.simp.stomp.StompSessionHandlerAdapter;
import org.springframework.scheduling.concurrent.ThreadPoolTaskScheduler;
import org.springframework.web.socket.client.WebSocketClient;
import org.springframework.web.socket.client.standard.StandardWebSocketClient;
import org.springframework.web.socket.messaging.WebSocketStompClient;
import org.springframework.web.socket.sockjs.client.RestTemplateXhrTransport;
import org.springframework.web.socket.sockjs.client.SockJsClient;
import org.springframework.web.socket.sockjs.client.Transport;
import org.springframework.web.socket.sockjs.client.WebSocketTransport;

/** Usage: SpringClients HOST:PORT TOKEN. One output line a check, as every suite prints. */
public final class SpringClients {
    private static final long LIMIT_SECONDS = 15;
    private static int failures;

    private final String address;
    private final String token;
    private final ThreadPoolTaskScheduler scheduler = new ThreadPoolTaskScheduler();

    private SpringClients(String address, String token) {
        this.address = address;
        this.token = token;
        scheduler.initialize();
    }

    private interface Check {
        void run() throws Exception;
    }

    private static void check(String name, Check body) {
        try {
            body.run();
            System.out.println("ok spring: " + name);
        } catch (Throwable error) {
            failures++;
            StringBuilder why = new StringBuilder();
            for (Throwable each = error; each != null; each = each.getCause()) why.append(each).append("; ");
            System.out.println("not ok spring: " + name + ": " + why.toString().replace('\n', ' '));
        }
    }

    private static void expect(boolean condition, String what) {
        if (!condition) throw new AssertionError(what);
    }

    /** One connected session with everything it was handed, in order. */
    private static final class Session extends StompSessionHandlerAdapter {
        final BlockingQueue<Map<String, Object>> messages = new LinkedBlockingQueue<>();
        final CompletableFuture<Throwable> trouble = new CompletableFuture<>();
        StompSession stomp;

        @Override
        public void handleException(StompSession s, StompCommand c, StompHeaders h, byte[] payload, Throwable error) {
            trouble.complete(error);
        }

        @Override
        public void handleTransportError(StompSession s, Throwable error) {
            trouble.complete(error);
        }

        @Override
        public void handleFrame(StompHeaders headers, Object payload) {
            trouble.complete(new AssertionError("ERROR frame: " + headers));
        }

        void awaitReceipt(StompSession.Receiptable receiptable) throws Exception {
            CompletableFuture<Boolean> arrived = new CompletableFuture<>();
            receiptable.addReceiptTask(() -> arrived.complete(true));
            receiptable.addReceiptLostTask(() -> arrived.complete(false));
            expect(arrived.get(LIMIT_SECONDS, TimeUnit.SECONDS), "the receipt was lost");
        }

        StompSession.Subscription watch(String room, Map<String, String> extra) throws Exception {
            StompHeaders headers = new StompHeaders();
            headers.setDestination("/sub/chat/room/" + room);
            headers.setReceipt("watch-" + System.nanoTime());
            extra.forEach(headers::add);
            StompSession.Subscription subscription = stomp.subscribe(headers, new StompFrameHandler() {
                @Override
                public Type getPayloadType(StompHeaders h) {
                    return Map.class;
                }

                @Override
                @SuppressWarnings("unchecked")
                public void handleFrame(StompHeaders h, Object payload) {
                    messages.add((Map<String, Object>) payload);
                }
            });
            awaitReceipt(subscription);
            return subscription;
        }

        void say(String room, String content, String messageId) throws Exception {
            StompHeaders headers = new StompHeaders();
            headers.setDestination("/pub/chat/send");
            headers.setReceipt("say-" + System.nanoTime());
            awaitReceipt(stomp.send(headers, Map.of("type", "TALK", "roomId", room, "content", content, "messageId", messageId)));
        }

        List<Object> take(int count, String field) throws Exception {
            List<Object> values = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                Map<String, Object> message = messages.poll(LIMIT_SECONDS, TimeUnit.SECONDS);
                expect(message != null, "only " + i + " of " + count + " messages came");
                values.add(message.get(field));
            }
            return values;
        }
    }

    private Session connect(WebSocketClient client, String scheme, String room) throws Exception {
        WebSocketStompClient stompClient = new WebSocketStompClient(client);
        stompClient.setMessageConverter(new MappingJackson2MessageConverter());
        stompClient.setTaskScheduler(scheduler);
        stompClient.setReceiptTimeLimit(LIMIT_SECONDS * 1000);
        Session session = new Session();
        String url = scheme + "://" + address + "/ws-chat?token=" + token + "&roomId=" + room;
        session.stomp = stompClient.connectAsync(url, session).get(LIMIT_SECONDS, TimeUnit.SECONDS);
        return session;
    }

    private void talk(WebSocketClient client, String scheme, String room) throws Exception {
        Session session = connect(client, scheme, room);
        session.watch(room, Map.of());
        List<Object> said = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            String content = "스프링이 보내는 " + i + "번째 문장 🎲 \"quoted\"";
            session.say(room, content, "spring-" + room + "-" + i);
            said.add(content);
        }
        List<Map<String, Object>> got = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            Map<String, Object> message = session.messages.poll(LIMIT_SECONDS, TimeUnit.SECONDS);
            expect(message != null, "only " + i + " of 20 messages came");
            expect(((Number) message.get("seq")).longValue() == i + 1, "seq " + message.get("seq") + " at place " + (i + 1));
            expect(message.get("content").equals(said.get(i)), "another content at " + i);
            got.add(message);
        }
        expect(session.messages.isEmpty(), "more messages than were sent");
        session.stomp.disconnect();

        Session later = connect(client, scheme, room);
        later.watch(room, Map.of("after-seq", "5"));
        for (Map<String, Object> wanted : got.subList(5, 20)) {
            Map<String, Object> message = later.messages.poll(LIMIT_SECONDS, TimeUnit.SECONDS);
            expect(wanted.equals(message), "resumed to " + message + ", wanted " + wanted);
        }
        later.say(room, "live after resume", "spring-" + room + "-live");
        expect(later.take(1, "content").get(0).equals("live after resume"), "no live message after the resume");
        later.stomp.disconnect();
    }

    private WebSocketClient sockJs(Transport transport) {
        return new SockJsClient(List.of(transport));
    }

    private void heartbeats() throws Exception {
        WebSocketStompClient stompClient = new WebSocketStompClient(new StandardWebSocketClient());
        stompClient.setMessageConverter(new MappingJackson2MessageConverter());
        stompClient.setTaskScheduler(scheduler);
        stompClient.setDefaultHeartbeat(new long[] {500, 500});
        Session session = new Session();
        String url = "ws://" + address + "/ws-chat?token=" + token + "&roomId=spring-heart";
        session.stomp = stompClient.connectAsync(url, session).get(LIMIT_SECONDS, TimeUnit.SECONDS);
        Throwable trouble = null;
        try {
            trouble = session.trouble.get(3, TimeUnit.SECONDS);
        } catch (java.util.concurrent.TimeoutException quiet) {
            // what should happen: Spring gives up on a connection after three intervals without a sign of life
        }
        expect(trouble == null, "the connection broke: " + trouble);
        expect(session.stomp.isConnected(), "no longer connected");
        session.stomp.disconnect();
    }

    public static void main(String[] arguments) {
        SpringClients clients = new SpringClients(arguments[0], arguments[1]);
        check("WebSocketStompClient over StandardWebSocketClient talks and resumes",
                () -> clients.talk(new StandardWebSocketClient(), "ws", "spring-ws"));
        check("SockJsClient over WebSocketTransport talks and resumes",
                () -> clients.talk(clients.sockJs(new WebSocketTransport(new StandardWebSocketClient())), "http", "spring-sockjs-ws"));
        check("SockJsClient over RestTemplateXhrTransport (xhr_streaming) talks and resumes",
                () -> clients.talk(clients.sockJs(new RestTemplateXhrTransport()), "http", "spring-sockjs-xhr"));
        check("SockJsClient over RestTemplateXhrTransport (xhr polling) talks and resumes", () -> {
            RestTemplateXhrTransport transport = new RestTemplateXhrTransport();
            transport.setXhrStreamingDisabled(true);
            clients.talk(clients.sockJs(transport), "http", "spring-sockjs-poll");
        });
        check("Spring's heart-beat expectations are met for six intervals", clients::heartbeats);
        System.exit(failures == 0 ? 0 : 1);
    }
}
