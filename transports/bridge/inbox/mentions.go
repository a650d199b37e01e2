package inbox

import (
	"context"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/richtext"
)

// maxFilled is how many people of one message are looked up because it mentions them.
const maxFilled = 20

// mentioned knows the addresses of those whom messages of this conversation mention.
func (s *step) mentioned() convert.Mentioned {
	return convert.Mentioned{Addresses: s.p.address, Direct: s.p.conv.Direct(), Address: s.p.addressOf}
}

// filled is a text with the names of people whom the network mentions by their ids only.
func (s *step) filled(ctx context.Context, t richtext.Text) richtext.Text {
	t.Walk(func(n *richtext.Node) {
		if n.Kind == richtext.Mention && n.Text == "" && n.ID != "" {
			if u, known := s.p.people.Known(ctx, transports.UserID(n.ID)); known {
				n.Text = convert.DisplayName(u)
			}
		}
	})
	return t
}

// nameless appends those whom a text mentions by their ids only.
func nameless(list []transports.UserID, t richtext.Text) []transports.UserID {
	n := 0
	t.Walk(func(node *richtext.Node) {
		if node.Kind == richtext.Mention && node.Text == "" && node.ID != "" && n < maxFilled {
			list = append(list, transports.UserID(node.ID))
			n++
		}
	})
	return list
}
