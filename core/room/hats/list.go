package hats

import (
	"crypto/sha1"
	"encoding/hex"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// NS is the namespace of hats in presence.
const NS = "urn:xmpp:hats:0"

// Limits of a room: hats, those that one address wears, addresses that wear any, and bytes of a URI and a title.
const (
	maxHats    = 100
	maxWorn    = 10
	maxWearers = 1000
	maxURI     = 1024
	maxTitle   = 256
)

// Hat is a title of occupants beside their affiliation (XEP-0317 §3.1).
type Hat struct {
	URI, Title string
	Hue        string `json:",omitempty"` // an angle from 0 to 360; "" for none
}

// List has the hats of a room. It is stored as JSON.
type List struct {
	Hats []Hat               `json:",omitempty"` // in the order of their creation
	Worn map[string][]string `json:",omitempty"` // by bare JID: URIs
}

// Empty reports whether there are no hats.
func (l List) Empty() bool { return len(l.Hats) == 0 }

// Find returns the hat of a URI.
func (l List) Find(uri string) (Hat, bool) {
	i := slices.IndexFunc(l.Hats, func(h Hat) bool { return h.URI == uri })
	if i < 0 {
		return Hat{}, false
	}
	return l.Hats[i], true
}

// Of returns what an address wears, in the order of the list.
func (l List) Of(who jid.JID) (list []Hat) {
	worn := l.Worn[who.Bare().String()]
	if len(worn) == 0 {
		return nil
	}
	for _, h := range l.Hats {
		if slices.Contains(worn, h.URI) {
			list = append(list, h)
		}
	}
	return list
}

// Hash is the value of the field hats#hash (XEP-0317 §2): of the URIs, and of the rest that a client keeps. "" if there are no hats.
func (l List) Hash() string {
	if l.Empty() {
		return ""
	}
	sum := sha1.New()
	for _, h := range l.Hats {
		for _, s := range []string{h.URI, h.Title, h.Hue} {
			sum.Write([]byte(strconv.Quote(s)))
		}
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// Element returns the element of presence (XEP-0317 §3.1), nil for no hats.
func Element(list []Hat) *stanza.Element {
	if len(list) == 0 {
		return nil
	}
	x := stanza.NewElement(NS, "hats")
	for _, h := range list {
		x.Add(stanza.NewElement(NS, "hat").With("title", h.Title).With("uri", h.URI).With("hue", h.Hue))
	}
	return x
}

// Put returns a list with a hat, new or in place of the one with its URI.
func (l List) Put(h Hat) (List, error) {
	u, err := url.Parse(h.URI)
	switch {
	case err != nil || u.Scheme == "" || len(h.URI) > maxURI || !utf8.ValidString(h.URI):
		return l, stanza.NotAcceptable("A hat needs a URI, such as https://example.org/hats#host.")
	case h.Title == "" || len(h.Title) > maxTitle:
		return l, stanza.NotAcceptable("A hat needs a title of at most " + strconv.Itoa(maxTitle) + " bytes.")
	}
	if hue, err := strconv.ParseFloat(h.Hue, 64); h.Hue != "" && (err != nil || !(hue >= 0 && hue <= 360) || len(h.Hue) > 20) {
		return l, stanza.NotAcceptable("The hue is an angle from 0 to 360.")
	}
	l.Hats = slices.Clone(l.Hats)
	if i := slices.IndexFunc(l.Hats, func(o Hat) bool { return o.URI == h.URI }); i >= 0 {
		l.Hats[i] = h
		return l, nil
	}
	if len(l.Hats) >= maxHats {
		return l, stanza.ResourceConstraint("The room has as many hats as it may have. Destroy one that is not needed any more.")
	}
	l.Hats = append(l.Hats, h)
	return l, nil
}

// Remove returns a list without a hat; nobody wears it any longer (XEP-0317 §3.3).
func (l List) Remove(uri string) (List, error) {
	if _, ok := l.Find(uri); !ok {
		return l, missing()
	}
	l.Hats = slices.DeleteFunc(slices.Clone(l.Hats), func(h Hat) bool { return h.URI == uri })
	worn := map[string][]string{}
	for who, list := range l.Worn {
		if list = without(list, uri); len(list) > 0 {
			worn[who] = list
		}
	}
	l.Worn = worn
	return l, nil
}

// Assign returns a list in which an address wears a hat.
func (l List) Assign(who jid.JID, uri string) (List, error) {
	key := who.Bare().String()
	worn := l.Worn[key]
	_, ok := l.Find(uri)
	switch {
	case !ok:
		return l, missing()
	case slices.Contains(worn, uri):
		return l, nil
	case len(worn) >= maxWorn, len(worn) == 0 && len(l.Worn) >= maxWearers:
		return l, stanza.ResourceConstraint("No more hats can be assigned. Take one away first.")
	}
	l.Worn = maps.Clone(l.Worn)
	if l.Worn == nil {
		l.Worn = map[string][]string{}
	}
	l.Worn[key] = append(slices.Clone(worn), uri)
	return l, nil
}

// Unassign returns a list in which an address does not wear a hat.
func (l List) Unassign(who jid.JID, uri string) (List, error) {
	key := who.Bare().String()
	if !slices.Contains(l.Worn[key], uri) {
		return l, stanza.ItemNotFound("This address does not have this hat.")
	}
	l.Worn = maps.Clone(l.Worn)
	if l.Worn[key] = without(l.Worn[key], uri); len(l.Worn[key]) == 0 {
		delete(l.Worn, key)
	}
	return l, nil
}

// Forget returns a list in which an address, of an account that was deleted, wears nothing.
func (l List) Forget(who jid.JID) List {
	l.Worn = maps.Clone(l.Worn)
	delete(l.Worn, who.Bare().String())
	return l
}

func without(list []string, uri string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(o string) bool { return o == uri })
}

func missing() *stanza.Error { return stanza.ItemNotFound("The room has no such hat.") }
