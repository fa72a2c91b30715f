## Everywhere

site-description = Rooms where you are a colour, and that are gone when the last person leaves.
skip-to-content = Skip to the content
you-are = You are
you = you
you-as-author = You
host = host
person = { $hue } { $number }
cancel = Cancel
close = Close
reload = Reload
all-rooms = All rooms

## The lobby

lobby-title = Huechat: rooms where you are a colour
hello = Hello. You are
lobby-lead = Come into a room or open your own. When the last person leaves, the room is gone, and everything in it.
log-out = Become somebody else
language-itself = English
reader-language = Language
reader-theme = Theme
reader-automatic = as my device
reader-save = Keep
theme-light = Light
theme-dark = Dark
open-a-room = Open a room
open-rooms = Open rooms
search-rooms = Find a room
locked = locked
full = full
seats = { $count } of { $max }
people-more = +{ $count }
lobby-empty-title = It is quiet here.
lobby-empty-text = No room is open right now. Open one, send its link to somebody, and talk.
open-the-first-room = Open the first room
search-empty-title = No room is called “{ $q }”.
search-empty-text = Try another word, or look at all the rooms.
pages = Pages
page-of = { $page } of { $pages }
previous-page = Previous
next-page = Next
lobby-offline = The list stands still: the connection is lost. Trying again…
lobby-restarting = The list stands still: the server is restarting. Trying again…
lobby-live = The list is live again.

## The password of a room

password = Password
password-needed = This room has a password. Whoever invited you knows it.
enter = Enter

## A new room

new-room-title = Open a room – Huechat
new-room = Open a room
new-room-lead = It lasts as long as somebody is in it.
room-name = What is it about?
room-name-example = Tea and trains
room-name-hint = Everybody sees this in the list of rooms.
room-max = How many people fit in?
room-max-hint = From 2 to { $count }.
room-password = Password
optional = optional
room-password-hint = Only people who know it can come in.
open-the-room = Open the room

## Inside a room

conversation = Conversation
leave = Leave
copy-link = Copy link
link-copied = Link copied
link-not-copied = Please copy it by hand
room-link = The link to this room
people-here = People
people-here-count = People here: { $count }
room-for = Room for { $count }.
waiting-title = Only you are here.
waiting-text = Send this link to whomever you want to talk to. The room waits as long as you do.
message = Message
say-something = Say something
send = Send
composer-hint = Enter sends, Shift + Enter starts a new line
characters-left = { $count ->
    [one] { $count } character left
   *[other] { $count } characters left
}
characters-over = { $count ->
    [one] { $count } character too many
   *[other] { $count } characters too many
}
sending = Sending…
retry = Try again
discard = Discard
waits-slow_down = A little fast.
waits-unavailable = The chat is unavailable just now.
waits-timeout = No answer yet.
waits-upload_failed = It did not go through.
waits-next = { $count ->
    [one] Goes out in { $count } second.
   *[other] Goes out in { $count } seconds.
}
older-loading = Looking for older messages…
new-messages = { $count ->
    [one] { $count } new message
   *[other] { $count } new messages
}
to-the-newest = To the newest
deleted = This message was deleted.
whisper-to = whispered to { $person }
no-script-enter = Come in and read
no-script = To talk, allow this page to run JavaScript.
no-script-inside = You can read along. To talk, allow this page to run JavaScript.

## What can be done about a person and a message

person-actions = What you can do about { $person }
person-whisper = Whisper
person-hide = Hide what they say
person-show = Show what they say
person-promote = Make them the host
person-remove = Remove from the room
whispering-to = Only { $person } will see this.
whispering-end = Talk to everybody again
mentions = People to name
mentioned = { $person } named you
whispered = { $person } whispered to you
folded-joined = { $joined ->
    [one] { $joined } person came
   *[other] { $joined } people came
}
folded-left = { $left ->
    [one] { $left } person left
   *[other] { $left } people left
}
folded-both = { $joined } came, { $left } left
preferences = This page
preferences-sound = Play a sound when I am named or whispered to
preferences-notification = Notify me then, while I look elsewhere
preferences-denied = Your browser does not let this page notify you. Its settings can change that.
typing-one = { $one } is writing…
typing-two = { $one } and { $two } are writing…
typing-many = Several people are writing…
delete = Delete
delete-title = Delete this message?
delete-words = Everybody will see that something was deleted. There is no way back.
report = Report
report-room = Report this room
report-message = Report this message
report-person = Report { $person }
report-words = Whoever runs this server will read what you report, with the last messages that show it. Nobody in the room is told.
report-why = What is wrong?
report-done = Thank you. It has reached whoever runs this server. You can hide what somebody says, or leave, at any time.
settings = Settings of the room
settings-password = A new password
settings-unprotect = No password any more
settings-locked = Let nobody new in
settings-save = Save
settings-end = Close the room
settings-end-sure = Really? Everybody has to leave.

## Bots

bot = bot
person-bot = { $name } (bot)
connect-a-bot = Connect a bot
tokens-title = Your bots – Huechat
tokens = Connect a bot
tokens-lead = A bot is a program that comes into rooms like everybody else, with a colour of its own and a badge. It shows a token in place of a cookie.
token = Token
token-made = The token of “{ $name }”
token-once = Copy it now: it is shown this once, and never again. Whoever has it is your bot.
copy = Copy
copied = Copied
token-name = What do you call it?
token-name-example = Dice
token-name-hint = At most 30 characters. Only you see this; in rooms it is a colour like everybody.
token-make = Make a token
tokens-list = Your bots
tokens-none = You have none yet. Make a token, give it to a program, and it can come in.
token-created = made
token-expires = ends
token-revoke = Revoke
token-revoke-which = Revoke the token of “{ $name }”
tokens-revoke-all = Revoke all of them
gateway-address = Where it connects
gateway-words = A plain WebSocket. Tokens end when you become somebody else, and a bot whose token ends leaves at once.

## GIFs

share-a-gif = Share a GIF
choose-a-gif = Choose a GIF
gif-share-title = Share this GIF?
gif-share = Share
gif-preview = What you are about to share
gif-facts = { $width } × { $height } · { $size }
gif-progress = Sent so far
gif-percent = { $percent }%
gif-alt = GIF from { $person }
gif-play = Play the GIF

## The connection

state-connecting = connecting
state-catching-up = catching up
state-live = live
state-reconnecting = reconnecting
state-restarting = restarting
state-unavailable = unavailable
state-too-fast = waiting
state-offline = offline
state-ended = ended
trouble-lost = The connection is lost. What you write waits here.
trouble-restarting = The server is restarting. What you write waits here.
trouble-unavailable = The chat is unavailable just now. What you write waits here.
trouble-too-fast = Too many connections came from here in a short time. What you write waits here.
trouble-next = { $count ->
    [one] Trying again in { $count } second.
   *[other] Trying again in { $count } seconds.
}
trouble-trying = Trying again…
trouble-offline = You are offline. What you write waits here and goes out when you are back.
try-now = Try now
ended-gone-title = This room is gone.
ended-gone = The last person left, or it was closed. What was said went with it.
ended-kicked-title = You were removed.
ended-kicked = { $person } removed you from this room. There are others.
ended-kicked-by-nobody = Somebody removed you from this room. There are others.
ended-session-title = Your session has ended.
ended-session = You are not known here any more, and get a new colour when you come back.
ended-left-title = You have left this room.
ended-left = You left it in another tab. Reload to come back in.
ended-refused-title = You cannot come in.

## What happens in a room

system-joined = { $person } joined
system-left = { $person } left
system-kicked = { $person } was removed
system-owner = { $person } is the host now
system-renamed = { $person } renamed the room
system-capacity = { $person } changed how many fit in
system-password = { $person } changed the password
system-locked = { $person } locked the room
system-unlocked = { $person } unlocked the room

## What goes wrong: what happened, and what to do next

error-unknown = Something went wrong. Please try again.
error-no_such_room = This room is gone. Here are those that are open.
error-wrong_password = That password is not right. Please try again.
error-kicked = You were removed from this room, and cannot come back in.
error-locked = The host of this room is letting nobody new in just now.
error-room_full = This room is full. Try again when somebody has left.
error-not_owner = Only the host can do that.
error-not_in_room = You are not in this room any more. Reload the page to come back in.
error-not_here = They are not here any more.
error-no_such_message = This message is not there any more.
error-yourself = You cannot do that to yourself.
error-too_many_connections = You have this open too often. Close another tab of it, and reload this one.
error-too_many_rooms = There are as many rooms open as fit here. Please come into one of them, or try later.
error-slow_down = That was a little fast. Please wait a moment and try again.
error-unavailable = We cannot reach our own memory just now. Please try again in a moment.
error-restarting = We are restarting. Please come back in a moment.
error-unauthorized = Your session has ended. Please reload the page.
error-too_slow = Your connection could not keep up. It comes back by itself.
error-invalid = Something in there does not fit. Please look it over.
error-foreign_origin = This came from a page of another site, or from one that was open before you left, so nothing was done. Open the page again and try once more.
error-malformed = We could not read that. Please reload the page and try again.
error-not_found = There is nothing at this address. It may have been a room that is gone.
error-method_not_allowed = This address cannot do that. Please go back and try again.
error-title_empty = Give the room a name, so that people find it.
error-title_too_long = Please keep it to 60 characters.
error-max_not_a_number = Write a whole number, such as 8.
error-max_out_of_range = Choose from 2 to { $count }.
error-max_too_few = More people are here than that.
error-name_too_long = Please keep it to 30 characters.
error-invalid_token = This token is not known, has ended, or was revoked.
error-too_many_tokens = You have as many bots as you may. Revoke one of them first.
error-password_too_long = Please keep it to 128 characters.
error-language_unknown = We do not speak this language.
error-theme_unknown = There is no such theme.
error-why_too_long = Please keep it to 500 characters.
error-empty = There is nothing in it yet.
error-too_long = This is too long: 2,000 characters are the most.
error-too_large = This GIF is too large: { $size } is the most.
error-not_a_gif = This is not a GIF. Please choose another file.
error-uploads_full = There is no room for more GIFs right now. Try again in a while.
error-bad_gif = This GIF is damaged or too big to show. Please choose another one.
error-gif_lost = This GIF is not here any more. Please choose it again.
error-upload_failed = It did not go through. Please try again.
error-timeout = No answer yet. Please try again.
error-title-unknown = That did not work.
error-title-not_found = There is nothing here.
error-title-no_such_room = This room is gone.
error-title-unavailable = Just a moment.
error-title-restarting = Just a moment.
error-title-slow_down = Just a moment.

## Colours

hue-rose = Rose
hue-ruby = Ruby
hue-scarlet = Scarlet
hue-coral = Coral
hue-copper = Copper
hue-amber = Amber
hue-honey = Honey
hue-gold = Gold
hue-olive = Olive
hue-lime = Lime
hue-moss = Moss
hue-green = Green
hue-jade = Jade
hue-mint = Mint
hue-teal = Teal
hue-cyan = Cyan
hue-azure = Azure
hue-blue = Blue
hue-indigo = Indigo
hue-iris = Iris
hue-violet = Violet
hue-purple = Purple
hue-orchid = Orchid
hue-magenta = Magenta
