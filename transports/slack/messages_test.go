package slack

import (
	"encoding/json"
	"net/url"
	"testing"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/recorder"
)

// shownAs is how the messages of testdata/messages.json are shown.
var shownAs = map[string]string{
	"incoming webhook of an app (bot_message, bot_id, no username, bot_profile)": "deploy done",
	"app message, blocks only":                                   "*Incident 42*\n*Sev 1* open <https://e.org/42>\n*Owner*\nBen\nstarted 10:00\ngraph <https://e.org/g.png>\nAck <https://e.org/ack>",
	"app message, fallback text and blocks that say more":        "*Database down* since 10:00, owner @U0BEN",
	"attachment with fields, footer, title link, image; text":    "[repo] 1 new commit\ncat\nFix it <https://e.org/c/1>\n`abc` Fix it\n*Branch*: main\nhttps://e.org/i.png\nacme/repo",
	"attachment, no text":                                        "CPU high <https://e.org/a>\n*Host*: db1\n*Value*: 97 %",
	"attachment whose content is blocks":                         "*Build failed*",
	"a person shares (forwards) a message with a comment":        "look at this\n(forwarded from Cat)\n> the forwarded text",
	"a person shares a message without comment":                  "(forwarded from Cat)\n> the forwarded text",
	"nested list (indent)":                                       "- a\n  - a1\n    1. a1i\n- b",
	"mention of somebody not known, user group, unknown channel": "@U0STRANGE1 @S012345 #C0UNKNOWN1",
	"container with a collapsed section, in a message of an app": "*Build 7*\non _main_\n*3* tests failed\n———\n[Retry]",
	"data_table with a caption and a number":                     "*Sales*\nMonth | EUR\nMay | 12",
	"a person shares a message, of which Slack sends the blocks": "(forwarded from Cat)\n> *words*🎉",
	"attachment of an old app with buttons and a time":           "Jenkins\nDeploy?\n[Yes] Log <https://ci.example/1>\nci · 2023-11-14 22:13 UTC",
	"markdown block": "*Report 🎉*\n*Done* in `5 s`, see the log <https://ci.example/1>\n- one\n  1. _two_\n```go\nx := \":tada:\"\n```",
	"rich text color, date without fallback, emoji with skin tone in unicode": "#F405B3 / 2024-07-11 15:03 UTC / 👋🏼🇺🇸:party_parrot:",
}

func messageSamples(t *testing.T) []recorder.Sample {
	t.Helper()
	return recorder.Samples(t, "testdata/messages.json", "event")
}

// Every message reads as a sentence or shows what it holds.
func TestMessagesAreShown(t *testing.T) {
	t.Parallel()
	s := unlinked()
	for _, c := range messageSamples(t) {
		t.Run(c.Name, func(t *testing.T) {
			m := rawMessage{TS: "1700000000.000100"}
			if err := json.Unmarshal(c.JSON, &m); err != nil {
				t.Fatal(err)
			}
			event := s.message(&m, transports.RoomInfo{ID: "t1-c1"}, "")
			if c.Name == "incoming webhook of an app (bot_message, bot_id, no username, bot_profile)" && event.Name != "Deploy Bot" {
				t.Errorf("named %q", event.Name)
			}
			if got := event.Body.(transports.Message).Text.Styling(); got != shownAs[c.Name] {
				t.Errorf("shown as\n%s\nwant\n%s", got, shownAs[c.Name])
			}
		})
	}
}

// A message of a thread that was sent to the channel too is in both; one that was not is in the thread only.
func TestThreadMessagesInTheChannel(t *testing.T) {
	w := newWorld(t)
	s, k := w.open(w.link(w.userTok))
	root := w.ben.Say(w.general, "lunch?")
	k.Event(t, "message lunch?")
	for text, broadcast := range map[string]string{"pizza": "false", "at two": "true"} {
		args := url.Values{"channel": {w.general.ID}, "text": {text}, "thread_ts": {root.TS}, "reply_broadcast": {broadcast}}
		if err := s.call(t.Context(), "chat.postMessage", args, nil); err != nil {
			t.Fatal(err)
		}
		m, ok := k.Event(t, "message "+text).Body.(transports.Message)
		if !ok || string(m.Thread) != root.TS || m.ReplyTo != m.Thread || m.InRoom != (broadcast == "true") {
			t.Errorf("%s: %+v", text, m)
		}
	}
}
