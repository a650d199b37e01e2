package content

import (
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/transports/discord/objects"
	"github.com/dragoman-im/dragoman/transports/discord/state"
	"github.com/dragoman-im/dragoman/transports/lenientjson"
	"github.com/dragoman-im/dragoman/transports/recorder"
	"github.com/dragoman-im/dragoman/transports/textcheck"
)

// publishedMarks are the characters of Markdown that may be missing where they had a meaning.
const publishedMarks = "*_~`|>#-[]()<\\"

// Every message of Discord's documentation shows its texts.
func TestPublishedMessagesAreShown(t *testing.T) {
	t.Parallel()
	c := &objects.Channel{ID: "1001", GuildID: "1"}
	for _, one := range recorder.Samples(t, "testdata/published.json", "m") {
		t.Run(one.Name, func(t *testing.T) {
			m := &objects.Message{Author: &objects.User{ID: "200", Username: "ben", GlobalName: "Ben"}}
			if left, err := lenientjson.Unmarshal(one.JSON, m); err != nil || len(left) > 0 {
				t.Fatal(left, err)
			}
			m.ID, m.ChannelID, m.GuildID = "1100", "1001", "1"
			got := Text(state.New(""), c, m).Styling()
			if strings.TrimSpace(got) == "" {
				t.Errorf("shows nothing: %s", one.JSON)
			}
			var sample any
			if _, err := lenientjson.Unmarshal(one.JSON, &sample); err != nil {
				t.Fatal(err)
			}
			for _, text := range texts(sample, nil) {
				if lost := textcheck.Lost(text, got, publishedMarks); lost != "" && !strings.Contains(text, "<") { // an id in brackets is a name here
					t.Errorf("%q of %q is not in %q", lost, text, got)
				}
			}
		})
	}
}

// texts are all texts in a sample that Discord shows at once.
func texts(v any, list []string) []string {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			list = texts(e, list)
		}
	case map[string]any:
		for key, e := range v {
			text, ok := e.(string)
			switch {
			case key == "options" || key == "mention_channels" || key == "content_parsed": // those of a list that is closed, or the text once more
			case !ok:
				list = texts(e, list)
			case key == "content" || key == "label" || key == "placeholder" || key == "description" || key == "title" || key == "text":
				list = append(list, text)
			}
		}
	}
	return list
}
