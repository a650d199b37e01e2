package disco

import (
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/paging"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Item is one of an entity's items (XEP-0030 §4.1).
type Item struct {
	JID        jid.JID
	Node, Name string
}

// id identifies an item in paged requests.
func (i Item) id() string {
	if i.Node == "" {
		return i.JID.String()
	}
	return i.JID.String() + "#" + i.Node
}

// ItemsElement returns the answer to disco#items; answer is nil if the list is not paged.
func ItemsElement(node string, items []Item, answer *paging.Answer) *stanza.Element {
	x := stanza.NewElement(NSItems, "query").With("node", node)
	for _, i := range items {
		x.Add(stanza.NewElement(NSItems, "item").With("jid", i.JID.String()).With("node", i.Node).With("name", i.Name))
	}
	if answer != nil {
		x.Add(answer.Element())
	}
	return x
}
