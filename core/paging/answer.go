package paging

import (
	"strconv"

	"github.com/dragoman-im/dragoman/core/stanza"
)

// Unknown is a count or index that was not determined.
const Unknown = -1

// Answer describes the returned page.
type Answer struct {
	First, Last string // ids of the first and last item; "" if the page is empty
	Index       int    // position of First, or Unknown
	Count       int    // of the whole set, or Unknown; may be approximate
}

// Element returns the answer as XML.
func (a Answer) Element() *stanza.Element {
	x := stanza.NewElement(NS, "set")
	if a.First != "" && a.Last != "" { // XEP-0059 §2.2
		first := stanza.TextElement(NS, "first", a.First)
		if a.Index >= 0 {
			first.With("index", strconv.Itoa(a.Index))
		}
		x.Add(first, stanza.TextElement(NS, "last", a.Last))
	}
	if a.Count >= 0 {
		x.Add(stanza.TextElement(NS, "count", strconv.Itoa(a.Count)))
	}
	return x
}
