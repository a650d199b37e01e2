package vcard4

import (
	"net/url"
	"strings"

	"github.com/dragoman-im/dragoman/core/stanza"
)

// toTemp has the properties of vCard4 that vcard-temp has a counterpart for.
var toTemp = map[string]property{
	"fn": asTemp("FN"), "nickname": asTemp("NICKNAME"), "title": asTemp("TITLE"), "role": asTemp("ROLE"), "tz": asTemp("TZ"),
	"note": asTemp("DESC"), "prodid": asTemp("PRODID"), "uid": asTemp("UID"), "rev": asTemp("REV"), "url": asTemp("URL"),
	"bday": asTemp("BDAY"), "n": nameToTemp, "adr": addressToTemp, "tel": telephoneToTemp, "email": emailToTemp, "impp": imppToTemp,
	"geo": geoToTemp, "org": orgToTemp, "categories": categoriesToTemp, "photo": pictureToTemp("PHOTO"), "logo": pictureToTemp("LOGO"),
	"sound": pictureToTemp("SOUND"), "key": keyToTemp,
}

// value returns the value of a property: the text of its first element that is not its parameters.
func value(x *stanza.Element) string {
	for v := range x.Elements() {
		if v.Local != "parameters" {
			return strings.TrimSpace(v.Text())
		}
	}
	return ""
}

func asTemp(local string) property {
	return func(x *stanza.Element) ([]*stanza.Element, bool) {
		s := value(x)
		if s == "" {
			return nil, true
		}
		return one(stanza.TextElement(NSTemp, local, s))
	}
}

// toOld adds the parts of a property of vCard4 that are not empty. A part may be there several times (RFC 6350 §6.2.2).
func (p parts) toOld(to, x *stanza.Element) bool {
	found := false
	for _, part := range p {
		var all []string
		for v := range x.Named(NS, part.modern) {
			if s := strings.TrimSpace(v.Text()); s != "" {
				all = append(all, s)
			}
		}
		if len(all) > 0 {
			found = true
			to.Add(stanza.TextElement(NSTemp, part.temp, strings.Join(all, " ")))
		}
	}
	return found
}

func nameToTemp(x *stanza.Element) ([]*stanza.Element, bool) {
	n := stanza.NewElement(NSTemp, "N")
	if !nameParts.toOld(n, x) {
		return nil, true
	}
	list := []*stanza.Element{n}
	if sort := value(x.Child(NS, "parameters").Child(NS, "sort-as")); sort != "" {
		list = append(list, stanza.TextElement(NSTemp, "SORT-STRING", sort))
	}
	return list, true
}

func addressToTemp(x *stanza.Element) ([]*stanza.Element, bool) {
	a := typedTemp("ADR", x)
	if !addressParts.toOld(a, x) {
		return nil, true
	}
	return one(a)
}

// typedTemp returns a property with the types of one of vCard4.
func typedTemp(local string, x *stanza.Element) *stanza.Element {
	p := stanza.NewElement(NSTemp, local)
	given := map[string]bool{}
	for types := range x.Child(NS, "parameters").Named(NS, "type") {
		for t := range types.Named(NS, "text") {
			given[strings.ToLower(strings.TrimSpace(t.Text()))] = true
		}
	}
	for _, k := range kinds {
		if given[k.modern] {
			p.Add(stanza.NewElement(NSTemp, k.temp))
		}
	}
	if x.Child(NS, "parameters").Child(NS, "pref") != nil {
		p.Add(stanza.NewElement(NSTemp, "PREF"))
	}
	return p
}

func telephoneToTemp(x *stanza.Element) ([]*stanza.Element, bool) {
	s := value(x)
	if number, ok := cutScheme(s, "tel:"); ok {
		s, _, _ = strings.Cut(number, ";") // RFC 3966 §3: its parameters
	}
	if s == "" {
		return nil, true
	}
	return one(typedTemp("TEL", x).Add(stanza.TextElement(NSTemp, "NUMBER", s)))
}

func emailToTemp(x *stanza.Element) ([]*stanza.Element, bool) {
	s := value(x)
	if s == "" {
		return nil, true
	}
	return one(typedTemp("EMAIL", x).Add(stanza.NewElement(NSTemp, "INTERNET"), stanza.TextElement(NSTemp, "USERID", s)))
}

// imppToTemp converts the address of XMPP; others have no counterpart.
func imppToTemp(x *stanza.Element) ([]*stanza.Element, bool) {
	s := value(x)
	address, ok := cutScheme(s, "xmpp:")
	if !ok {
		return nil, s == ""
	}
	if address, ok = fromXMPPURI(address); !ok {
		return nil, false
	}
	return one(stanza.TextElement(NSTemp, "JABBERID", address))
}

func geoToTemp(x *stanza.Element) ([]*stanza.Element, bool) {
	at, ok := cutScheme(value(x), "geo:")
	at, _, _ = strings.Cut(at, ";")
	lat, rest, two := strings.Cut(at, ",")
	lon, _, _ := strings.Cut(rest, ",") // RFC 5870 §3.3: the altitude
	if !ok || !two || lat == "" || lon == "" {
		return nil, true
	}
	return one(stanza.NewElement(NSTemp, "GEO").Add(stanza.TextElement(NSTemp, "LAT", lat), stanza.TextElement(NSTemp, "LON", lon)))
}

func orgToTemp(x *stanza.Element) ([]*stanza.Element, bool) {
	org := stanza.NewElement(NSTemp, "ORG")
	found := false
	local := "ORGNAME"
	for t := range x.Named(NS, "text") {
		s := strings.TrimSpace(t.Text())
		found = found || s != ""
		org.Add(stanza.TextElement(NSTemp, local, s))
		local = "ORGUNIT"
	}
	if !found {
		return nil, true
	}
	return one(org)
}

func categoriesToTemp(x *stanza.Element) ([]*stanza.Element, bool) {
	list := stanza.NewElement(NSTemp, "CATEGORIES")
	for t := range x.Named(NS, "text") {
		if s := strings.TrimSpace(t.Text()); s != "" {
			list.Add(stanza.TextElement(NSTemp, "KEYWORD", s))
		}
	}
	if Empty(list) {
		return nil, true
	}
	return one(list)
}

func pictureToTemp(local string) property {
	return func(x *stanza.Element) ([]*stanza.Element, bool) {
		uri := value(x)
		if uri == "" {
			return nil, true
		}
		data, ok := cutScheme(uri, "data:")
		kind, data, found := strings.Cut(data, ";base64,")
		if ok && found && strings.TrimSpace(data) == "" {
			return nil, true
		}
		if ok && found {
			kind, _, _ = strings.Cut(kind, ";")
			return one(stanza.NewElement(NSTemp, local).Add(stanza.TextElement(NSTemp, "TYPE", kind), stanza.TextElement(NSTemp, "BINVAL", data)))
		}
		return one(stanza.NewElement(NSTemp, local).Add(stanza.TextElement(NSTemp, "EXTVAL", uri)))
	}
}

func keyToTemp(x *stanza.Element) ([]*stanza.Element, bool) {
	s := value(x)
	if s == "" {
		return nil, true
	}
	return one(stanza.NewElement(NSTemp, "KEY").Add(stanza.TextElement(NSTemp, "CRED", s)))
}

// cutScheme removes the scheme of a URI, in any case.
func cutScheme(uri, scheme string) (string, bool) {
	if len(uri) < len(scheme) || !strings.EqualFold(uri[:len(scheme)], scheme) {
		return uri, false
	}
	return uri[len(scheme):], true
}

// xmppURI returns the URI of an address (RFC 5122 §2.7.2).
func xmppURI(address string) string {
	parts := strings.SplitN(address, "/", 2)
	local, domain, ok := strings.Cut(parts[0], "@")
	if ok {
		parts[0] = url.PathEscape(local) + "@" + domain
	}
	for i := range parts[1:] {
		parts[i+1] = url.PathEscape(parts[i+1])
	}
	return "xmpp:" + strings.Join(parts, "/")
}

// fromXMPPURI returns the address of a URI without its scheme.
func fromXMPPURI(uri string) (string, bool) {
	uri, _, _ = strings.Cut(uri, "#")
	uri, _, _ = strings.Cut(uri, "?")
	address, err := url.PathUnescape(uri)
	return address, err == nil && address != "" && !strings.HasPrefix(address, "/")
}
