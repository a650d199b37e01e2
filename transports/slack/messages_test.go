package slack

import (
	"encoding/json"
	"testing"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/recorder"
)

// shownAs is how the messages of testdata/messages.json are shown.
var shownAs = map[string]string{
	"incoming webhook of an app (bot_message, bot_id, no username, bot_profile)": "deploy done",
	"app message, blocks only":                                                "*Incident 42*\n*Sev 1* open <https://e.org/42>\n*Owner*\nBen\nstarted 10:00\ngraph <https://e.org/g.png>\nAck <https://e.org/ack>",
	"app message, fallback text and blocks that say more":                     "*Database down* since 10:00, owner @U0BEN",
	"attachment with fields, footer, title link, image; text":                 "[repo] 1 new commit\ncat\nFix it <https://e.org/c/1>\n`abc` Fix it\n*Branch*: main\nhttps://e.org/i.png\nacme/repo",
	"attachment, no text":                                                     "CPU high <https://e.org/a>\n*Host*: db1\n*Value*: 97 %",
	"attachment whose content is blocks":                                      "*Build failed*",
	"a person shares (forwards) a message with a comment":                     "look at this\n(forwarded from Cat)\n> the forwarded text",
	"a person shares a message without comment":                               "(forwarded from Cat)\n> the forwarded text",
	"nested list (indent)":                                                    "- a\n  - a1\n    1. a1i\n- b",
	"mention of somebody not known, user group, unknown channel":              "@U0STRANGE1 @S012345 #C0UNKNOWN1",
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

// Blocks of kinds that are not known here show their texts, and what cannot be read takes nothing with it.
func TestBlocksOfOtherKinds(t *testing.T) {
	t.Parallel()
	s := unlinked()
	for in, want := range map[string]string{
		`[{"type":"actions","elements":[{"type":"future_button","text":{"type":"plain_text","text":"Go"}},{"type":"button","text":{"type":"plain_text","text":"Approve"}}]}]`:                                                         "Go [Approve]",
		`[{"type":"future","body":{"heading":{"type":"mrkdwn","text":"*New*"}}},{"type":"section","text":"plain"}]`:                                                                                                                   "*New*\nplain",
		`[5,{"type":"section","text":{"type":"mrkdwn","text":7}},{"type":[],"text":"x"},{"type":"context","elements":[null,{"type":"mrkdwn","text":"*a*"},"b",{"type":"image","image_url":"https://e.org/i.png","alt_text":"pic"}]}]`: "7\nx\n*a* pic <https://e.org/i.png>",
		`[{"type":"table","rows":[[{"type":"raw_text","text":"A"},{"type":"raw_text","text":"B"}],[{"type":"rich_text","elements":[{"type":"rich_text_section","elements":[{"type":"text","text":"1"}]}]},7]]}]`:                      "A | B\n1 | ",
		`[{"type":"rich_text","elements":[{"type":"rich_text_section","elements":[{"type":"text","text":"a","style":"bold"},{"type":"text","text":"b","style":{"bold":"x","italic":true}},{"type":"future","value":"c"},7]}]}]`:       "a_b_c",
		`[{"type":"divider"},{"type":"section","text":{"type":"mrkdwn","text":"a"},"accessory":{"type":"static_select","placeholder":{"type":"plain_text","text":"Choose"}}}]`:                                                        "a\n[Choose]",
		`{"type":"section"}`: "",
	} {
		if got := s.blocks(json.RawMessage(in)).Styling(); got != want {
			t.Errorf("%s\nis %q, want %q", in, got, want)
		}
	}
}
