package channelsearch

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/paging"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// position is where a room is in the order of the answer.
type position struct {
	users   int // 0 in the order of addresses
	address string
}

// compare orders the largest rooms first, and rooms of the same size by address.
func (p position) compare(o position) int {
	return cmp.Or(cmp.Compare(o.users, p.users), strings.Compare(p.address, o.address))
}

// id is the position as an id of XEP-0059, which is opaque to others.
func (p position) id(byUsers bool) string {
	if !byUsers {
		return p.address
	}
	return strconv.Itoa(p.users) + " " + p.address
}

// parsePosition reads an id.
func parsePosition(id string, byUsers bool) (position, error) {
	if !byUsers {
		return position{address: id}, nil
	}
	number, address, _ := strings.Cut(id, " ")
	n, err := strconv.ParseUint(number, 10, 31)
	if err != nil {
		return position{}, stanza.ItemNotFound("The item to go on from is not there any longer.") // XEP-0059 §2.4
	}
	return position{int(n), address}, nil
}

// collector keeps the page of the answer. add gets every room.
type collector struct {
	query
	page          paging.Request
	after, before *position
	found         []entry // sorted; of the page, at most page.Max
	total         int     // that match
	earlier       int     // that match and come before the page
}

type entry struct {
	position
	Channel
}

func newCollector(q query, page paging.Request) (*collector, error) {
	if page.Index >= 0 { // XEP-0059 §2.6
		return nil, stanza.FeatureNotImplemented("The result is paged by its items.")
	}
	c := &collector{query: q, page: page}
	for _, end := range []struct {
		id   string
		into **position
	}{{page.After, &c.after}, {page.Before, &c.before}} {
		if end.id == "" {
			continue
		}
		p, err := parsePosition(end.id, q.byUsers)
		if err != nil {
			return nil, err
		}
		*end.into = &p
	}
	return c, nil
}

// add takes one room.
func (c *collector) add(ch *Channel) {
	if !c.matches(ch) {
		return
	}
	c.total++
	at := position{address: ch.Address.String()}
	if c.byUsers {
		at.users = ch.Users
	}
	switch {
	case c.after != nil && at.compare(*c.after) <= 0:
		c.earlier++
		return
	case c.before != nil && at.compare(*c.before) >= 0, c.page.Max == 0:
		return
	}
	i, same := slices.BinarySearchFunc(c.found, at, func(e entry, p position) int { return e.compare(p) })
	switch full := len(c.found) == c.page.Max; {
	case same: // a room that was moved while it was read
		c.total--
		return
	case full && c.page.Backwards():
		c.earlier++ // the first one leaves the page, or this one is in front of it
		if i == 0 {
			return
		}
		c.found, i = slices.Delete(c.found, 0, 1), i-1
	case full && i == len(c.found):
		return
	case full:
		c.found = c.found[:len(c.found)-1]
	}
	c.found = slices.Insert(c.found, i, entry{at, *ch})
}

// maxText is how many bytes of a name or a description are in an answer.
const maxText = 1024

// result is the page as XML (XEP-0433 §4.2.2.1). One without items is no error.
func (c *collector) result() *stanza.Element {
	x := stanza.NewElement(NS, "result")
	for i := range c.found {
		x.Add(c.found[i].element())
	}
	answer := paging.Answer{Index: paging.Unknown, Count: c.total}
	if n := len(c.found); n > 0 {
		answer.First, answer.Last, answer.Index = c.found[0].id(c.byUsers), c.found[n-1].id(c.byUsers), c.earlier
	}
	return x.Add(answer.Element())
}

// element is an item (XEP-0433 §6.2).
func (c *Channel) element() *stanza.Element {
	x := stanza.NewElement(NS, "item").With("address", c.Address.String())
	text := func(name, value string) {
		if value != "" {
			x.Add(stanza.TextElement(NS, name, clip(value)))
		}
	}
	name := c.Name
	if name == "" {
		name = jid.Unescape(c.Address.Local())
	}
	text("name", name)
	text("description", c.Description)
	text("language", c.Language)
	text("nusers", strconv.Itoa(c.Users))
	text("service-type", typeMUC)
	if c.Open { // clients look for the element itself, as the examples have it empty
		text("is-open", "true")
	}
	if c.ShowsJIDs {
		text("anonymity-mode", anonymityNone)
	} else {
		text("anonymity-mode", anonymityPartial)
	}
	return x
}

func clip(s string) string {
	if len(s) <= maxText {
		return s
	}
	n := maxText
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
