package content

import (
	"testing"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/richtext"
	"github.com/dragoman-im/dragoman/transports/textcheck"
)

const (
	theirs = "Shall we *meet* at the _station_ at `eight`? See <https://e.org/map|the map>, <@U0200>\n&gt; the *train* leaves ~late~ :tada:\n"
	ours   = "Shall we *meet* at the _station_ at `eight`? See https://e.org/map\n> the *train* leaves ~late~\n"
)

func fromSlack(text string) { _ = reader().Parse(text).Styling() }
func toSlack(text string)   { _ = Markup("T1", transports.Outgoing{Text: richtext.ParseStyling(text)}) }

// BenchmarkFromSlack measures what a mrkdwn text of 4,000 characters takes on its way to XMPP.
func BenchmarkFromSlack(b *testing.B) { textcheck.Bench(b, theirs, fromSlack) }

// BenchmarkToSlack measures the way back.
func BenchmarkToSlack(b *testing.B) { textcheck.Bench(b, ours, toSlack) }

func TestAllocations(t *testing.T) {
	textcheck.Allocations(t, theirs, textcheck.Most{Plain: 20, Styled: 750}, fromSlack)
	textcheck.Allocations(t, ours, textcheck.Most{Plain: 10, Styled: 800}, toSlack)
}
