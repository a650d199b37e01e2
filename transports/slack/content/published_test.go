package content

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/transports/recorder"
	"github.com/dragoman-im/dragoman/transports/textcheck"
)

// contentless are the published messages that hold nothing.
var contentless = []string{"test_blocks.py: build_slack_block", "test_blocks.py: test_parsing_empty_block_elements"}

// Every message that Slack's SDK publishes shows its texts.
func TestPublishedMessagesAreShown(t *testing.T) {
	t.Parallel()
	s := reader()
	for _, c := range recorder.Samples(t, "testdata/published.json", "event") {
		t.Run(c.Name, func(t *testing.T) {
			var m Message
			if err := json.Unmarshal(c.JSON, &m); err != nil {
				t.Fatal(err)
			}
			got := s.Text(m).Styling()
			if empty := strings.TrimSpace(got) == ""; empty != slices.Contains(contentless, c.Name) {
				t.Errorf("shown as %q: %s", got, c.JSON)
			}
			var sample any
			if err := json.Unmarshal(c.JSON, &sample); err != nil {
				t.Fatal(err)
			}
			for _, text := range texts(sample, nil) {
				if !slices.ContainsFunc(strings.Split(got, "\n"), func(line string) bool { return textcheck.Lost(text, line, "*_~`\\<>") == "" }) {
					t.Errorf("%q is not in %q", text, got)
				}
			}
		})
	}
}

// hidden are members whose texts Slack shows only to who presses or opens something, or in place of others.
var hidden = []string{"confirm", "placeholder", "option_groups", "workflow", "fallback", "icon", "value"}

// texts are all texts of one line in a sample that Slack shows at once.
func texts(v any, list []string) []string {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			list = texts(e, list)
		}
	case map[string]any:
		for key, e := range v {
			switch {
			case slices.Contains(hidden, key), key == "options" && v["type"] != "checkboxes" && v["type"] != "radio_buttons" && v["type"] != "overflow":
			case key == "text" || key == "title" || key == "subtitle" || key == "description" || key == "pretext" || key == "footer" || key == "author_name":
				if text, ok := e.(string); ok {
					list = append(list, strings.Split(Emojis(text), "\n")...)
					continue
				}
				list = texts(e, list)
			default:
				list = texts(e, list)
			}
		}
	}
	return list
}
