package content

import (
	"testing"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/richtext"
	"github.com/dragoman-im/dragoman/transports/textcheck"
)

// BenchmarkFromSlack measures what a mrkdwn text of 4,000 characters takes on its way to XMPP.
func BenchmarkFromSlack(b *testing.B) {
	s := reader()
	textcheck.Bench(b, "Shall we *meet* at the _station_ at `eight`? See <https://e.org/map|the map>, <@U0200>\n&gt; the *train* leaves ~late~ :tada:\n", func(text string) {
		_ = s.Parse(text).Styling()
	})
}

// BenchmarkToSlack measures the way back.
func BenchmarkToSlack(b *testing.B) {
	textcheck.Bench(b, "Shall we *meet* at the _station_ at `eight`? See https://e.org/map\n> the *train* leaves ~late~\n", func(text string) {
		_ = Markup("T1", transports.Outgoing{Text: richtext.ParseStyling(text)})
	})
}
