package discord

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/discord/objects"
	"github.com/dragoman-im/dragoman/transports/lenientjson"
	"github.com/dragoman-im/dragoman/transports/recorder"
)

// shownAs is how the messages of testdata/messages.json are shown.
var shownAs = map[string]string{
	"1 RECIPIENT_ADD":                "Ben added Cat",
	"3 CALL":                         "Ben started a call, which has ended",
	"5 CHANNEL_ICON_CHANGE":          "Ben changed the picture of the channel",
	"7 USER_JOIN":                    "Ben joined the server",
	"8 GUILD_BOOST x2":               "Ben boosted the server 2 times",
	"10 TIER_2":                      "Ben boosted the server to level 2",
	"12 FOLLOW_ADD":                  "Ben has this channel follow “Chess club #news”: its announcements appear here",
	"15 DISCOVERY_REQUALIFIED":       "The server meets the requirements of Server Discovery again and is listed there",
	"17 DISCOVERY_WARN2":             "The server has not met the requirements of Server Discovery for three weeks. After one more it is removed",
	"19 REPLY":                       "yes",
	"20 CHAT_INPUT_COMMAND":          "cat used /ping\nPong!",
	"21 THREAD_STARTER":              "This thread hangs on a message of cat:\n> *start* here",
	"23 CONTEXT_MENU":                "done",
	"25 ROLE_SUBSCRIPTION":           "Ben renewed the subscription to Gold, for month 3 now",
	"27 STAGE_START":                 "Ben started the stage “Weekly talk”",
	"29 STAGE_SPEAKER":               "Ben is a speaker now",
	"31 STAGE_TOPIC":                 "Ben changed the topic of the stage: “New topic”",
	"35 PRIVATE_CHANNEL_INTEGRATION": "Ben did something that is not known here (a message of type 35)",
	"37 INCIDENT_OFF":                "Ben switched off security actions for the server",
	"39 FALSE_ALARM":                 "Ben reported that an alarm about a raid was false",
	"46 POLL_RESULT":                 "The poll “Lunch?” has ended: 🍕 Pizza has 4 of 6 votes",
	"sticker":                        "[sticker: Wave]",
	"voice message":                  "\n[file voice-message.ogg voice]",
	"forward attachment":             "(forwarded)\n[file a.png ]",
	"forward poll":                   "(forwarded)\n> [poll: Q?]\n> - A",
	"forward of mention":             "(forwarded)\n> hi @Cat",
	"embed thumbnail only":           "https://ci.example/t.png",
	"embed gifv tenor (person)":      "https://tenor.com/view/x-123",
	"bot link preview with content":  "see https://e.org/post",
	"components v2 buttons":          "Deploy *v2*?\ngraph <https://e.org/t.png>\n———\nOpen <https://e.org/open> [Approve]",
	"components v2 file":             "x.zip <https://cdn.discordapp.com/x.zip>",
	"components v1 button link":      "hello\nOpen <https://e.org/open>",
	"attachment spoiler":             "[spoiler: a.png]\n[file a.png ]",
	"shared client theme":            "[a theme of the client: #5865F2]",
	"poll with votes":                "[poll: Lunch? (ended) (several answers)]\n- 🍕 Pizza (4)\n- :blob: Soup",
	"embed with author, time and fields, content of an app":       "New issue\ncat <https://e.org/cat>\nIt *breaks* <https://e.org/1>\n- a\n- b\n*Label*: `bug`\nacme · 2026-01-02 03:04 UTC",
	"components v2 with a line between and a file of the message": "a\n———\n[file: game.zip]\nb",
	"channel of another guild":                                    "see #big-news",
	"no intent":                                                   "(a message that Discord does not show to the bot): the bot lacks what Discord calls Message Content Intent: switch it on at discord.com/developers/applications → your application → Bot → Privileged Gateway Intents, then link again",
}

func messageSamples(t *testing.T) []recorder.Sample {
	t.Helper()
	samples := recorder.Samples(t, "testdata/messages.json", "m")
	for i, s := range samples {
		samples[i].JSON = json.RawMessage(strings.NewReplacer(`"CH"`, `"1001"`, `"BEN"`, `"200"`).Replace(string(s.JSON)))
	}
	return samples
}

// Every message reads as a sentence or shows what it holds.
func TestMessagesAreShown(t *testing.T) {
	t.Parallel()
	s := offline(t)
	c := &objects.Channel{ID: "1001", GuildID: "1"}
	for _, one := range messageSamples(t) {
		t.Run(one.Name, func(t *testing.T) {
			m := &objects.Message{ID: "1100", ChannelID: "1001", GuildID: "1", Author: &objects.User{ID: "200", Username: "ben", GlobalName: "Ben"}}
			if left, err := lenientjson.Unmarshal(one.JSON, m); err != nil || len(left) > 0 {
				t.Fatal(left, err)
			}
			body := s.convert(c, m).Body.(transports.Message)
			got := body.Text.Styling()
			for _, f := range body.Files {
				got += "\n[file " + f.Name + " " + string(f.Kind) + "]"
			}
			if got != shownAs[one.Name] {
				t.Errorf("shown as\n%s\nwant\n%s", got, shownAs[one.Name])
			}
		})
	}
}
