package convert

import (
	"fmt"
	"strings"

	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
)

// Poll is the content that shows a poll: a message with its options.
func Poll(p transports.Poll) *stanza.Element {
	var b strings.Builder
	b.WriteString("Poll: " + OneLine(p.Question))
	if p.Ended {
		b.WriteString(" (has ended)")
	}
	for i, o := range p.Options {
		fmt.Fprintf(&b, "\n%d. %s", i+1, Name(o.Text))
		if o.Votes > 0 {
			fmt.Fprintf(&b, " (%d)", o.Votes)
		}
	}
	return Body(b.String())
}
