package paging

import (
	"strconv"
	"strings"

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

// ParseAnswer reads the <set/> of a result inside parent; false where there is none.
func ParseAnswer(parent *stanza.Element) (Answer, bool) {
	a := Answer{Index: Unknown, Count: Unknown}
	set := parent.Child(NS, "set")
	if set == nil {
		return a, false
	}
	a.First, a.Last = set.ChildText(NS, "first"), set.ChildText(NS, "last")
	if n, err := number(set.Child(NS, "first").Attr("index")); err == nil {
		a.Index = n
	}
	if n, err := number(strings.TrimSpace(set.ChildText(NS, "count"))); err == nil {
		a.Count = n
	}
	return a, true
}
