package content

import (
	"testing"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/richtext"
	"github.com/dragoman-im/dragoman/transports/textcheck"
)

const (
	theirs = "Shall we **meet** at the *station* at `eight`? See https://e.org/map, <@200>\n> the **train** leaves ~~late~~\n"
	ours   = "Shall we *meet* at the _station_ at `eight`? See https://e.org/map\n> the *train* leaves ~late~\n"
)

func fromDiscord(text string) { _ = reader().Parse(text).Styling() }
func toDiscord(text string)   { _ = Markup(transports.Outgoing{Text: richtext.ParseStyling(text)}) }

// BenchmarkFromDiscord measures what a message of 4,000 characters takes on its way to XMPP.
func BenchmarkFromDiscord(b *testing.B) { textcheck.Bench(b, theirs, fromDiscord) }

// BenchmarkToDiscord measures the way back.
func BenchmarkToDiscord(b *testing.B) { textcheck.Bench(b, ours, toDiscord) }

func TestAllocations(t *testing.T) {
	textcheck.Allocations(t, theirs, textcheck.Most{Plain: 40, Styled: 600}, fromDiscord)
	textcheck.Allocations(t, ours, textcheck.Most{Plain: 10, Styled: 600}, toDiscord)
}
