import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.backend.h2.H2Backend;

/** PORT FILE: speaks MongoDB's protocol on loopback and keeps the data in FILE (`-`: nowhere). Ended with SIGTERM it loses nothing. */
public class Mongo {
    public static void main(String[] arguments) throws Exception {
        MongoServer server = new MongoServer(arguments[1].equals("-") ? H2Backend.inMemory() : new H2Backend(arguments[1]));
        Runtime.getRuntime().addShutdownHook(new Thread(server::shutdownNow));
        server.bind("127.0.0.1", Integer.parseInt(arguments[0]));
        Thread.currentThread().join();
    }
}
