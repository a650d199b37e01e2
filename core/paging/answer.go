package paging

import (
	"strconv"

	"github.com/dragoman-im/dragoman/core/stanza"
)

// Unknown is a count or index that nobody has counted.
const Unknown = -1

// Answer describes the page that was given.
type Answer struct {
	First, Last string // ids of the page's ends; "" of an empty page
	Index       int    // position of First, or Unknown
	Count       int    // of the whole set, or Unknown; may be approximate
}

// Element is the answer as XML.
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
