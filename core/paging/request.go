package paging

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/dragoman-im/dragoman/core/stanza"
)

// NS is the namespace of result sets.
const NS = "http://jabber.org/protocol/rsm"

// MaxID is the maximum length of an item id in a request, in bytes.
const MaxID = 1024

// NoLimit is the Max of a request without one.
const NoLimit = -1

// Request is a requested page.
type Request struct {
	Max    int    // items, or NoLimit; 0 asks for the count alone (XEP-0059 §2.7)
	After  string // id of the item before the page
	Before string // id of the item after the page
	Last   bool   // an empty <before/>: the last page (XEP-0059 §2.5)
	Index  int    // position of the first item, or -1
}

// All returns the request for everything, as made by clients that do not page.
func All() Request { return Request{Max: NoLimit, Index: -1} }

// Parse reads the <set/> inside parent, the child of an IQ. If there is none it returns All and false. A
// malformed set is a bad-request.
func Parse(parent *stanza.Element) (Request, bool, error) {
	set := parent.Child(NS, "set")
	if set == nil {
		return All(), false, nil
	}
	r := All()
	var err error
	for e := range set.Elements() {
		if e.Space != NS && e.Space != "" {
			continue
		}
		text := strings.TrimSpace(e.Text())
		switch e.Local {
		case "max":
			r.Max, err = number(text)
		case "index":
			r.Index, err = number(text)
		case "after":
			r.After, err = id(text)
		case "before":
			r.Before, err = id(text)
			r.Last = text == ""
		}
		if err != nil {
			return All(), true, stanza.BadRequest(fmt.Sprintf("<%s/> of the result set: %v", e.Local, err))
		}
	}
	if r.After != "" && (r.Before != "" || r.Last) && r.Index >= 0 {
		return All(), true, stanza.BadRequest("A page is asked for by index or by its neighbours.")
	}
	return r, true, nil
}

// Limit sets Max to defaultMax if the request has no limit, and to limit if it is larger.
func (r Request) Limit(defaultMax, limit int) Request {
	if r.Max == NoLimit {
		r.Max = defaultMax
	}
	r.Max = min(r.Max, limit)
	return r
}

// Backwards reports whether the page is counted from its end.
func (r Request) Backwards() bool { return r.Last || r.Before != "" }

// Element returns the request as XML.
func (r Request) Element() *stanza.Element {
	x := stanza.NewElement(NS, "set")
	if r.Max >= 0 {
		x.Add(stanza.TextElement(NS, "max", strconv.Itoa(r.Max)))
	}
	if r.After != "" {
		x.Add(stanza.TextElement(NS, "after", r.After))
	}
	if r.Backwards() {
		x.Add(stanza.TextElement(NS, "before", r.Before))
	}
	if r.Index >= 0 {
		x.Add(stanza.TextElement(NS, "index", strconv.Itoa(r.Index)))
	}
	return x
}

// number reads an xs:unsignedInt; larger values become the largest int32.
func number(s string) (int, error) {
	if s == "" || len(s) > 32 {
		return 0, fmt.Errorf("not a number")
	}
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, fmt.Errorf("not a number")
		}
	}
	n, err := strconv.ParseUint(s, 10, 31)
	if err != nil {
		return 1<<31 - 1, nil
	}
	return int(n), nil
}

// id checks an opaque id: its length, and that a database can store it as text.
func id(s string) (string, error) {
	switch {
	case len(s) > MaxID:
		return "", fmt.Errorf("id of more than %d bytes", MaxID)
	case !utf8.ValidString(s) || strings.IndexByte(s, 0) >= 0:
		return "", fmt.Errorf("not text")
	}
	return s, nil
}
