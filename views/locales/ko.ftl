## Everywhere

site-description = 색 하나로 만나는 대화방. 마지막 사람이 나가면 방도 사라져요.
skip-to-content = 본문으로 건너뛰기
you-are = 나는
you = 나
you-as-author = 나
host = 방장
person = { $hue } { $number }
cancel = 취소
close = 닫기
reload = 새로고침
all-rooms = 모든 방 보기

## The lobby

lobby-title = Huechat: 색 하나로 만나는 대화방
hello = 안녕하세요, 당신은
lobby-lead = 열려 있는 방에 들어가거나 직접 방을 열어 보세요. 마지막 사람이 나가면 방도, 나눈 이야기도 모두 사라져요.
log-out = 다른 사람 되기
language-itself = 한국어
reader-language = 언어
reader-theme = 화면
reader-automatic = 기기 설정대로
reader-save = 저장
theme-light = 밝게
theme-dark = 어둡게
open-a-room = 방 열기
open-rooms = 열려 있는 방
search-rooms = 방 찾기
locked = 잠김
full = 꽉 참
seats = { $max }명 중 { $count }명
people-more = +{ $count }
lobby-empty-title = 지금은 조용하네요.
lobby-empty-text = 열려 있는 방이 없어요. 방을 열고 링크를 보내 이야기를 시작해 보세요.
open-the-first-room = 첫 번째 방 열기
search-empty-title = ‘{ $q }’ 방은 없어요.
search-empty-text = 다른 말로 찾거나 모든 방을 둘러보세요.
pages = 쪽
page-of = { $pages }쪽 중 { $page }쪽
previous-page = 이전
next-page = 다음
lobby-offline = 연결이 끊겨 목록이 멈췄어요. 다시 연결하고 있어요…
lobby-restarting = 서버를 다시 시작하고 있어 목록이 멈췄어요. 다시 연결하고 있어요…
lobby-live = 목록이 다시 실시간으로 바뀌어요.

## The password of a room

password = 비밀번호
password-needed = 비밀번호가 있는 방이에요. 초대한 사람이 알고 있을 거예요.
enter = 들어가기

## A new room

new-room-title = 방 열기 – Huechat
new-room = 방 열기
new-room-lead = 누군가 있는 동안에만 열려 있어요.
room-name = 무슨 이야기를 나눌까요?
room-name-example = 차 한 잔과 기차 이야기
room-name-hint = 방 목록에서 모두에게 보여요.
room-max = 몇 명까지 들어올 수 있나요?
room-max-hint = 2명부터 { $count }명까지.
room-password = 비밀번호
optional = 선택
room-password-hint = 아는 사람만 들어올 수 있어요.
open-the-room = 방 열기

## Inside a room

conversation = 대화
leave = 나가기
copy-link = 링크 복사
link-copied = 복사했어요
link-not-copied = 직접 복사해 주세요
room-link = 이 방의 링크
people-here = 사람들
people-here-count = 지금 있는 사람: { $count }명
room-for = { $count }명까지 들어올 수 있어요.
waiting-title = 아직 혼자예요.
waiting-text = 이야기하고 싶은 사람에게 이 링크를 보내세요. 여기 있는 동안 방은 그대로 있어요.
message = 메시지
say-something = 이야기해 보세요
send = 보내기
composer-hint = Enter로 보내고, Shift + Enter로 줄을 바꿔요
characters-left = { $count }자 남음
characters-over = { $count }자 넘침
sending = 보내는 중…
retry = 다시 보내기
discard = 지우기
waits-slow_down = 조금 빨랐어요.
waits-unavailable = 지금은 대화방을 쓸 수 없어요.
waits-timeout = 아직 대답이 없어요.
waits-upload_failed = 보내지 못했어요.
waits-next = { $count }초 뒤에 보낼게요.
older-loading = 이전 메시지를 찾고 있어요…
new-messages = 새 메시지 { $count }개
to-the-newest = 맨 아래로
deleted = 삭제된 메시지예요.
whisper-to = { $person } 님에게 귓속말
no-script-enter = 들어가서 읽기
no-script = 이야기하려면 이 페이지에서 JavaScript를 허용해 주세요.
no-script-inside = 대화를 읽을 수 있어요. 이야기하려면 이 페이지에서 JavaScript를 허용해 주세요.

## 사람과 메시지에 할 수 있는 것

person-actions = { $person } 님에게 할 수 있는 것
person-whisper = 귓속말
person-hide = 이 사람의 말 숨기기
person-show = 이 사람의 말 보기
person-promote = 방장으로 만들기
person-remove = 방에서 내보내기
whispering-to = { $person } 님만 볼 수 있어요.
whispering-end = 다시 모두에게 말하기
mentions = 부를 사람
mentioned = { $person } 님이 불렀어요
whispered = { $person } 님이 귓속말을 보냈어요
folded-joined = { $joined }명이 들어왔어요
folded-left = { $left }명이 나갔어요
folded-both = { $joined }명이 들어오고 { $left }명이 나갔어요
preferences = 이 화면
preferences-sound = 나를 부르거나 귓속말이 오면 소리 내기
preferences-notification = 다른 곳을 보고 있으면 알림 보내기
preferences-denied = 브라우저가 알림을 막고 있어요. 브라우저 설정에서 바꿀 수 있어요.
typing-one = { $one } 님이 쓰고 있어요…
typing-two = { $one } 님과 { $two } 님이 쓰고 있어요…
typing-many = 여러 사람이 쓰고 있어요…
delete = 지우기
delete-title = 이 메시지를 지울까요?
delete-words = 무언가 지워졌다는 것은 모두에게 보여요. 되돌릴 수 없어요.
report = 신고
report-room = 이 방 신고하기
report-message = 이 메시지 신고하기
report-person = { $person } 신고하기
report-words = 이 서버를 운영하는 사람이 신고 내용과 관련된 최근 메시지를 읽어요. 방에 있는 사람들에게는 알려지지 않아요.
report-why = 무엇이 문제인가요?
report-done = 고마워요. 서버를 운영하는 사람에게 전해졌어요. 언제든 상대의 말을 숨기거나 방을 나갈 수 있어요.
settings = 방 설정
settings-password = 새 비밀번호
settings-unprotect = 비밀번호 없애기
settings-locked = 아무도 새로 들이지 않기
settings-save = 저장
settings-end = 방 닫기
settings-end-sure = 정말 닫을까요? 모두 나가야 해요.

## Bots

bot = 봇
person-bot = { $name } (봇)
connect-a-bot = 봇 연결하기
tokens-title = 내 봇 – Huechat
tokens = 봇 연결하기
tokens-lead = 봇은 다른 사람처럼 방에 들어오는 프로그램이에요. 자기 색과 봇 표시가 있고, 쿠키 대신 토큰을 보여 줘요.
token = 토큰
token-made = ‘{ $name }’의 토큰
token-once = 지금 복사해 두세요. 이번 한 번만 보여 드려요. 이 토큰을 가진 쪽이 곧 그 봇이에요.
copy = 복사
copied = 복사했어요
token-name = 뭐라고 부를까요?
token-name-example = 주사위
token-name-hint = 30자까지. 나만 볼 수 있고, 방에서는 다른 사람처럼 색으로 보여요.
token-make = 토큰 만들기
tokens-list = 내 봇
tokens-none = 아직 봇이 없어요. 토큰을 만들어 프로그램에 주면 들어올 수 있어요.
token-created = 만든 때
token-expires = 끝나는 때
token-revoke = 취소하기
token-revoke-which = ‘{ $name }’의 토큰 취소하기
tokens-revoke-all = 모두 취소하기
gateway-address = 연결할 주소
gateway-words = 평범한 WebSocket이에요. 다른 사람이 되면 토큰도 끝나고, 토큰이 끝난 봇은 바로 나가요.

## GIFs

share-a-gif = GIF 올리기
choose-a-gif = GIF 고르기
gif-share-title = 이 GIF를 올릴까요?
gif-share = 올리기
gif-preview = 올릴 GIF 미리 보기
gif-facts = { $width } × { $height } · { $size }
gif-progress = 보낸 만큼
gif-percent = { $percent }%
gif-alt = { $person } 님이 올린 GIF
gif-play = GIF 재생

## The connection

state-connecting = 연결 중
state-catching-up = 따라잡는 중
state-live = 연결됨
state-reconnecting = 다시 연결 중
state-restarting = 다시 시작 중
state-unavailable = 연결할 수 없음
state-too-fast = 기다리는 중
state-offline = 오프라인
state-ended = 끝남
trouble-lost = 연결이 끊겼어요. 쓰신 말은 여기 두었다가 보낼게요.
trouble-restarting = 서버를 다시 시작하고 있어요. 쓰신 말은 여기 두었다가 보낼게요.
trouble-unavailable = 지금은 대화방을 쓸 수 없어요. 쓰신 말은 여기 두었다가 보낼게요.
trouble-too-fast = 짧은 시간에 이곳에서 연결이 너무 많았어요. 쓰신 말은 여기 두었다가 보낼게요.
trouble-next = { $count }초 뒤에 다시 연결해요.
trouble-trying = 다시 연결하고 있어요…
trouble-offline = 오프라인이에요. 쓰신 말은 여기 두었다가 다시 연결되면 보낼게요.
try-now = 지금 연결
ended-gone-title = 방이 사라졌어요.
ended-gone = 마지막 사람이 나갔거나 방이 닫혔어요. 나눈 이야기도 함께 사라졌어요.
ended-kicked-title = 내보내졌어요.
ended-kicked = { $person } 님이 이 방에서 내보냈어요. 다른 방도 있어요.
ended-kicked-by-nobody = 이 방에서 내보내졌어요. 다른 방도 있어요.
ended-session-title = 세션이 끝났어요.
ended-session = 여기서는 더 이상 알아볼 수 없어요. 다시 들어오면 새로운 색을 받아요.
ended-left-title = 이 방에서 나갔어요.
ended-left = 다른 탭에서 나갔어요. 새로고침하면 다시 들어올 수 있어요.
ended-refused-title = 들어갈 수 없어요.

## What happens in a room

system-joined = { $person } 님이 들어왔어요
system-left = { $person } 님이 나갔어요
system-kicked = { $person } 님이 내보내졌어요
system-owner = 이제 { $person } 님이 방장이에요
system-renamed = { $person } 님이 방 이름을 바꿨어요
system-capacity = { $person } 님이 정원을 바꿨어요
system-password = { $person } 님이 비밀번호를 바꿨어요
system-locked = { $person } 님이 방을 잠갔어요
system-unlocked = { $person } 님이 방을 열었어요

## What goes wrong: what happened, and what to do next

error-unknown = 문제가 생겼어요. 다시 시도해 주세요.
error-no_such_room = 사라진 방이에요. 지금 열려 있는 방은 다음과 같아요.
error-wrong_password = 비밀번호가 맞지 않아요. 다시 입력해 주세요.
error-kicked = 이 방에서 내보내져서 다시 들어갈 수 없어요.
error-locked = 지금은 방장이 새로운 사람을 받지 않고 있어요.
error-room_full = 방이 꽉 찼어요. 누군가 나가면 다시 시도해 주세요.
error-not_owner = 방장만 할 수 있어요.
error-not_in_room = 지금은 이 방에 있지 않아요. 새로고침하면 다시 들어올 수 있어요.
error-not_here = 그 사람은 이제 여기 없어요.
error-no_such_message = 그 메시지는 이제 없어요.
error-yourself = 자기 자신에게는 할 수 없어요.
error-too_many_connections = 너무 많은 탭에서 열려 있어요. 다른 탭을 닫고 새로고침해 주세요.
error-too_many_rooms = 방이 너무 많이 열려 있어요. 열려 있는 방에 들어가거나 나중에 다시 시도해 주세요.
error-slow_down = 조금 빨랐어요. 잠시 뒤에 다시 시도해 주세요.
error-unavailable = 지금은 저장소에 연결할 수 없어요. 잠시 뒤에 다시 시도해 주세요.
error-restarting = 서버를 다시 시작하고 있어요. 잠시 뒤에 다시 와 주세요.
error-unauthorized = 세션이 끝났어요. 페이지를 새로고침해 주세요.
error-too_slow = 연결이 따라오지 못했어요. 저절로 다시 연결돼요.
error-invalid = 맞지 않는 내용이 있어요. 다시 살펴봐 주세요.
error-foreign_origin = 다른 사이트의 페이지나 나가기 전에 열어 둔 페이지에서 온 요청이라 아무것도 하지 않았어요. 페이지를 다시 열고 한 번 더 시도해 주세요.
error-malformed = 내용을 읽을 수 없었어요. 새로고침하고 다시 시도해 주세요.
error-not_found = 이 주소에는 아무것도 없어요. 사라진 방일지도 몰라요.
error-method_not_allowed = 이 주소에서는 그렇게 할 수 없어요. 돌아가서 다시 시도해 주세요.
error-title_empty = 사람들이 찾을 수 있게 방 이름을 지어 주세요.
error-title_too_long = 60자까지 쓸 수 있어요.
error-max_not_a_number = 8처럼 숫자로 써 주세요.
error-max_out_of_range = 2명부터 { $count }명까지 고를 수 있어요.
error-max_too_few = 지금 있는 사람보다 적어요.
error-name_too_long = 30자까지 쓸 수 있어요.
error-invalid_token = 모르는 토큰이거나, 끝났거나, 취소된 토큰이에요.
error-too_many_tokens = 봇을 더 만들 수 없어요. 먼저 하나를 취소해 주세요.
error-password_too_long = 128자까지 쓸 수 있어요.
error-language_unknown = 그 언어는 아직 할 줄 몰라요.
error-theme_unknown = 그런 화면은 없어요.
error-why_too_long = 500자까지 쓸 수 있어요.
error-empty = 아직 아무 내용도 없어요.
error-too_long = 너무 길어요. 2,000자까지 쓸 수 있어요.
error-too_large = GIF가 너무 커요. { $size }까지 올릴 수 있어요.
error-not_a_gif = GIF 파일이 아니에요. 다른 파일을 골라 주세요.
error-uploads_full = 지금은 GIF를 더 담을 자리가 없어요. 잠시 뒤에 다시 시도해 주세요.
error-bad_gif = 손상됐거나 너무 커서 보여 줄 수 없는 GIF예요. 다른 파일을 골라 주세요.
error-gif_lost = GIF가 더 이상 여기 없어요. 다시 골라 주세요.
error-upload_failed = 보내지 못했어요. 다시 시도해 주세요.
error-timeout = 아직 대답이 없어요. 다시 시도해 주세요.
error-title-unknown = 잘되지 않았어요.
error-title-not_found = 아무것도 없어요.
error-title-no_such_room = 방이 사라졌어요.
error-title-unavailable = 잠시만 기다려 주세요.
error-title-restarting = 잠시만 기다려 주세요.
error-title-slow_down = 잠시만 기다려 주세요.

## Colours

hue-rose = 장미
hue-ruby = 루비
hue-scarlet = 진홍
hue-coral = 산호
hue-copper = 구리
hue-amber = 호박
hue-honey = 벌꿀
hue-gold = 황금
hue-olive = 올리브
hue-lime = 라임
hue-moss = 이끼
hue-green = 초록
hue-jade = 비취
hue-mint = 민트
hue-teal = 청록
hue-cyan = 물빛
hue-azure = 하늘
hue-blue = 파랑
hue-indigo = 남색
hue-iris = 붓꽃
hue-violet = 제비꽃
hue-purple = 보라
hue-orchid = 난초
hue-magenta = 자홍
