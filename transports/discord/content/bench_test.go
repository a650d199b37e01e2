package content

import (
	"testing"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/richtext"
	"github.com/dragoman-im/dragoman/transports/textcheck"
)

// BenchmarkFromDiscord measures what a message of 4,000 characters takes on its way to XMPP.
func BenchmarkFromDiscord(b *testing.B) {
	textcheck.Bench(b, "Shall we **meet** at the *station* at `eight`? See https://e.org/map, <@200>\n> the **train** leaves ~~late~~\n", func(text string) {
		_ = reader().Parse(text).Styling()
	})
}

// BenchmarkToDiscord measures the way back.
func BenchmarkToDiscord(b *testing.B) {
	textcheck.Bench(b, "Shall we *meet* at the _station_ at `eight`? See https://e.org/map\n> the *train* leaves ~late~\n", func(text string) {
		_ = Markup(transports.Outgoing{Text: richtext.ParseStyling(text)})
	})
}
