/** Every sentence of the page in English and Korean. */
export type Language = "en" | "ko";

const en = {
  tagline: "A seat at the table, wherever you are.",
  log_in: "Log in",
  register: "Create account",
  to_register: "New here? Create an account",
  to_log_in: "Have an account? Log in",
  name: "Login name",
  password: "Password",
  nickname: "Nickname",
  nickname_hint: "What others see at the table",
  log_out: "Log out",
  log_in_again: "Your session has ended. Please log in again.",
  my_rooms: "My rooms",
  public_rooms: "Open tables",
  find_room: "Find a room",
  create_room: "New room",
  create: "Create",
  room_name: "Room name",
  room_id: "Room id",
  room_id_hint: "Letters, digits, _ . - (left empty, one is made)",
  public: "Public",
  public_hint: "Anyone can find it and talk",
  private: "Private",
  private_hint: "Only those you invite",
  join_by_id: "Join by id",
  join: "Join",
  join_room: "Join this room",
  accept_invitation: "Accept the invitation",
  invited_hint: "You are invited. What is said here shows once you have joined.",
  join_hint: "You are looking in from the door. Join to keep this room in your list.",
  leave: "Leave room",
  leave_sure: "Leave “{room}”? You can come back while it is open to you.",
  invite: "Invite",
  invite_name: "Login name of the person",
  invited: "{name} has been invited.",
  invite_link: "Or send them this address",
  kick: "Remove {name}",
  kick_submit: "Remove",
  kick_sure: "Remove {name} from “{room}”? Only a new invitation brings them back.",
  make_private: "Make private",
  make_public: "Make public",
  make_private_sure: "Only members will see this room. Everybody else loses it at once.",
  make_public_sure: "Everybody will see this room and all that was said in it.",
  copy: "Copy",
  copied: "Copied",
  cancel: "Cancel",
  close: "Close",
  members: "Members",
  here_now: "Here now",
  away: "Away",
  you: "you",
  owner: "Owner",
  nobody_here: "Nobody is here yet.",
  message_to: "Message {room}",
  send: "Send",
  hint: "Enter to send · Shift+Enter for a new line · /roll 2d6+1",
  roll_dice: "Roll dice",
  bad_roll: "Not a roll. Try /roll 2d6+1",
  too_long: "This message is too long.",
  sending: "sending…",
  sent: "sent",
  failed: "Not sent",
  retry: "Retry",
  discard: "Discard",
  today: "Today",
  yesterday: "Yesterday",
  new_messages: "New",
  to_latest: "Latest messages",
  new_count: "{n} new",
  joined: "{name} came in",
  left: "{name} went out",
  became_member: "{name} joined the room",
  ended_member: "{name} left the room",
  made_private: "{name} made this room private",
  made_public: "{name} made this room public",
  truncated: "Older messages are no longer kept.",
  missing: "Some messages here are no longer kept.",
  reset: "This room's history was restored; what you see was loaded anew.",
  beginning: "This is where {room} begins.",
  beginning_hint: "Say hello, or roll for initiative.",
  loading: "Loading…",
  history_failed: "Earlier messages could not be loaded.",
  show_more: "Show more",
  show_less: "Show less",
  pick_room: "Pick a table",
  pick_room_hint: "Choose a room on the left, or open one of your own.",
  no_rooms: "No rooms yet. Create one, or join an open table.",
  no_public: "No open tables right now.",
  no_messages: "No messages yet",
  typing_1: "{a} is typing…",
  typing_2: "{a} and {b} are typing…",
  typing_n: "Several people are typing…",
  connecting: "Connecting…",
  reconnecting: "Connection lost. Messages you write are kept and sent when it is back.",
  retry_in: "Trying again in {s} s",
  retry_now: "Try now",
  online: "Connected",
  back_online: "Back online",
  stopped_forbidden: "The server does not let you in here any more.",
  stopped_slow: "The connection could not keep up and was closed.",
  stopped_replaced: "Parley was opened somewhere else.",
  stopped_rate: "Too many attempts. Wait a moment before trying again.",
  stopped_refused: "The server closed the connection.",
  reconnect: "Reconnect",
  room_ended: "You are no longer in this room.",
  invitation: "Invitation",
  theme_auto: "Theme: like the system",
  theme_light: "Theme: light",
  theme_dark: "Theme: dark",
  switch_language: "한국어로 보기",
  skip: "Skip to the message box",
  back: "Back to rooms",
  unread: "{n} unread",
  e_network: "The server cannot be reached.",
  e_login: "Name or password is wrong.",
  e_name_taken: "This name is taken.",
  e_CHAT_ROOM_NOT_FOUND: "There is no such room, or it is not open to you.",
  e_CHAT_ROOM_EXISTS: "A room with this id exists.",
  e_CHAT_MEMBER_NOT_FOUND: "There is nobody of that name.",
  e_CHAT_FORBIDDEN: "This is not allowed.",
  e_CHAT_RATE_LIMITED: "Too fast; wait a moment.",
  e_CHAT_MESSAGE_TOO_LARGE: "This message is too long.",
  e_CHAT_STORE_UNAVAILABLE: "It could not be stored; try again.",
  e_AUTH_UNAVAILABLE: "Logins cannot be checked at the moment.",
};

export type Key = keyof typeof en;

const ko: Record<Key, string> = {
  tagline: "어디에 있든, 같은 테이블에서.",
  log_in: "로그인",
  register: "계정 만들기",
  to_register: "처음이신가요? 계정 만들기",
  to_log_in: "계정이 있으신가요? 로그인",
  name: "로그인 이름",
  password: "비밀번호",
  nickname: "닉네임",
  nickname_hint: "테이블에서 다른 사람에게 보이는 이름",
  log_out: "로그아웃",
  log_in_again: "세션이 끝났습니다. 다시 로그인해 주세요.",
  my_rooms: "내 방",
  public_rooms: "열린 테이블",
  find_room: "방 찾기",
  create_room: "새 방",
  create: "만들기",
  room_name: "방 이름",
  room_id: "방 아이디",
  room_id_hint: "영문, 숫자, _ . - (비워 두면 자동으로 만듭니다)",
  public: "공개",
  public_hint: "누구나 찾아와 이야기할 수 있습니다",
  private: "비공개",
  private_hint: "초대한 사람만 들어올 수 있습니다",
  join_by_id: "아이디로 참여",
  join: "참여",
  join_room: "이 방에 참여하기",
  accept_invitation: "초대 수락하기",
  invited_hint: "이 방에 초대받았습니다. 참여하면 대화가 보입니다.",
  join_hint: "문밖에서 둘러보는 중입니다. 참여하면 내 방 목록에 남습니다.",
  leave: "방 나가기",
  leave_sure: "‘{room}’에서 나갈까요? 열려 있는 동안은 다시 올 수 있습니다.",
  invite: "초대",
  invite_name: "초대할 사람의 로그인 이름",
  invited: "{name} 님을 초대했습니다.",
  invite_link: "또는 이 주소를 보내세요",
  kick: "{name} 님 내보내기",
  kick_submit: "내보내기",
  kick_sure: "{name} 님을 ‘{room}’에서 내보낼까요? 다시 초대해야만 돌아올 수 있습니다.",
  make_private: "비공개로 바꾸기",
  make_public: "공개로 바꾸기",
  make_private_sure: "멤버만 이 방을 볼 수 있게 됩니다. 그 밖의 사람은 바로 볼 수 없게 됩니다.",
  make_public_sure: "누구나 이 방과 지금까지의 대화를 볼 수 있게 됩니다.",
  copy: "복사",
  copied: "복사됨",
  cancel: "취소",
  close: "닫기",
  members: "참여자",
  here_now: "지금 있음",
  away: "자리 비움",
  you: "나",
  owner: "방장",
  nobody_here: "아직 아무도 없습니다.",
  message_to: "{room}에 메시지 보내기",
  send: "보내기",
  hint: "Enter로 보내기 · Shift+Enter로 줄바꿈 · /roll 2d6+1",
  roll_dice: "주사위 굴리기",
  bad_roll: "주사위 식이 아닙니다. 예: /roll 2d6+1",
  too_long: "메시지가 너무 깁니다.",
  sending: "보내는 중…",
  sent: "보냄",
  failed: "보내지 못함",
  retry: "다시 보내기",
  discard: "버리기",
  today: "오늘",
  yesterday: "어제",
  new_messages: "새 메시지",
  to_latest: "최신 메시지로",
  new_count: "새 메시지 {n}개",
  joined: "{name} 님이 들어왔습니다",
  left: "{name} 님이 자리를 떴습니다",
  became_member: "{name} 님이 방에 참여했습니다",
  ended_member: "{name} 님이 방을 나갔습니다",
  made_private: "{name} 님이 방을 비공개로 바꿨습니다",
  made_public: "{name} 님이 방을 공개로 바꿨습니다",
  truncated: "이전 메시지는 더 이상 보관되지 않습니다.",
  missing: "이 사이의 메시지는 더 이상 보관되지 않습니다.",
  reset: "방 기록이 복원되어 내용을 새로 불러왔습니다.",
  beginning: "{room}의 이야기가 시작되는 곳입니다.",
  beginning_hint: "인사를 건네거나, 선공 주사위를 굴려 보세요.",
  loading: "불러오는 중…",
  history_failed: "이전 메시지를 불러오지 못했습니다.",
  show_more: "더 보기",
  show_less: "접기",
  pick_room: "테이블을 골라 주세요",
  pick_room_hint: "왼쪽에서 방을 고르거나 새 방을 열어 보세요.",
  no_rooms: "아직 방이 없습니다. 새로 만들거나 열린 테이블에 참여해 보세요.",
  no_public: "지금 열린 테이블이 없습니다.",
  no_messages: "아직 메시지가 없습니다",
  typing_1: "{a} 님이 입력 중…",
  typing_2: "{a}, {b} 님이 입력 중…",
  typing_n: "여러 명이 입력 중…",
  connecting: "연결하는 중…",
  reconnecting: "연결이 끊겼습니다. 쓰신 메시지는 보관했다가 다시 연결되면 보냅니다.",
  retry_in: "{s}초 뒤 다시 연결",
  retry_now: "지금 연결",
  online: "연결됨",
  back_online: "다시 연결되었습니다",
  stopped_forbidden: "더 이상 들어올 수 없는 곳입니다.",
  stopped_slow: "연결이 너무 느려 끊겼습니다.",
  stopped_replaced: "다른 곳에서 Parley를 열었습니다.",
  stopped_rate: "시도가 너무 많습니다. 잠시 후 다시 해 주세요.",
  stopped_refused: "서버가 연결을 닫았습니다.",
  reconnect: "다시 연결",
  room_ended: "이 방의 참여가 끝났습니다.",
  invitation: "초대",
  theme_auto: "테마: 시스템과 같게",
  theme_light: "테마: 밝게",
  theme_dark: "테마: 어둡게",
  switch_language: "View in English",
  skip: "메시지 입력란으로 건너뛰기",
  back: "방 목록으로",
  unread: "읽지 않음 {n}개",
  e_network: "서버에 연결할 수 없습니다.",
  e_login: "이름 또는 비밀번호가 올바르지 않습니다.",
  e_name_taken: "이미 사용 중인 이름입니다.",
  e_CHAT_ROOM_NOT_FOUND: "방이 없거나 들어갈 수 없습니다.",
  e_CHAT_ROOM_EXISTS: "같은 아이디의 방이 이미 있습니다.",
  e_CHAT_MEMBER_NOT_FOUND: "그런 이름의 회원이 없습니다.",
  e_CHAT_FORBIDDEN: "권한이 없습니다.",
  e_CHAT_RATE_LIMITED: "너무 빠릅니다. 잠시 후 다시 해 주세요.",
  e_CHAT_MESSAGE_TOO_LARGE: "메시지가 너무 깁니다.",
  e_CHAT_STORE_UNAVAILABLE: "저장하지 못했습니다. 다시 시도해 주세요.",
  e_AUTH_UNAVAILABLE: "지금은 로그인을 확인할 수 없습니다.",
};

const kStored = "parley.language";
const kTables: Record<Language, Record<Key, string>> = { en, ko };

let current: Language = initial();

function initial(): Language {
  const stored = localStorage.getItem(kStored);
  if (stored === "en" || stored === "ko") return stored;
  return navigator.language.toLowerCase().startsWith("ko") ? "ko" : "en";
}

export function language(): Language {
  return current;
}

export function set_language(next: Language): void {
  current = next;
  localStorage.setItem(kStored, next);
}

export function t(key: Key, values: Record<string, string | number> = {}): string {
  return kTables[current][key].replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ""));
}

/** The page's own words for an error code, else what the server said. */
export function error_text(code: string, fallback: string): string {
  const key = `e_${code}`;
  return key in en ? t(key as Key) : fallback || code;
}

type Format = "time" | "full" | "day" | "day_and_year";

const kFormats: Record<Format, Intl.DateTimeFormatOptions> = {
  time: { hour: "numeric", minute: "2-digit" },
  full: { dateStyle: "full", timeStyle: "medium" },
  day: { weekday: "long", month: "long", day: "numeric" },
  day_and_year: { weekday: "long", month: "long", day: "numeric", year: "numeric" },
};
const formatters = new Map<string, Intl.DateTimeFormat>();

/** Making a formatter costs more than drawing a line: each is made once. */
function format(date: Date, how: Format): string {
  const key = current + how;
  const formatter = formatters.get(key) ?? new Intl.DateTimeFormat(current, kFormats[how]);
  formatters.set(key, formatter);
  return formatter.format(date);
}

export function time_of(iso: string): string {
  return format(new Date(iso), "time");
}

export function full_time(iso: string): string {
  return format(new Date(iso), "full");
}

export function day_of(iso: string, now: Date = new Date()): string {
  const date = new Date(iso);
  const midnight = (d: Date) => new Date(d.getFullYear(), d.getMonth(), d.getDate()).getTime();
  const days = Math.round((midnight(now) - midnight(date)) / 86_400_000);
  if (days === 0) return t("today");
  if (days === 1) return t("yesterday");
  return format(date, date.getFullYear() === now.getFullYear() ? "day" : "day_and_year");
}
