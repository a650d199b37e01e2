package slack

import (
	"strings"
	"testing"

	"github.com/kyokomi/emoji/v2"

	"github.com/dragoman-im/dragoman/transports/richtext"
)

// Every emoji has one form inside, and that form names it at Slack.
func TestEmojiNames(t *testing.T) {
	t.Parallel()
	for name := range emoji.CodeMap() {
		if strings.Contains(name, "_tone") || name == ":m:" {
			continue // Slack names the tone behind the emoji; the module has no name for the emoji of :m:
		}
		for _, tone := range []string{"", "::skin-tone-4"} {
			if tone != "" && name != ":wave:" && name != ":point_up:" && name != ":+1:" && name != ":woman_judge:" {
				continue
			}
			shown := richtext.NormalEmoji(reaction(name[1:len(name)-1] + tone))
			back, ok := emojiName(shown)
			if again := richtext.NormalEmoji(reaction(back)); !ok || again != shown {
				t.Errorf("%s%s is %q, named %q, which is %q", name, tone, shown, back, again)
			}
		}
	}
}
