package vcard4

import (
	"strings"

	"github.com/dragoman-im/dragoman/core/stanza"
)

// fromTemp has the properties of vcard-temp that vCard4 has a counterpart for.
var fromTemp = map[string]property{
	"FN": asText("fn"), "NICKNAME": asText("nickname"), "TITLE": asText("title"), "ROLE": asText("role"), "TZ": asText("tz"),
	"DESC": asText("note"), "NOTE": asText("note"), "PRODID": asText("prodid"), "UID": asText("uid"), "REV": asValue("rev", "timestamp"),
	"URL": asValue("url", "uri"), "BDAY": birthday, "N": name, "ADR": address, "TEL": telephone, "EMAIL": email, "JABBERID": jabberID,
	"GEO": position, "ORG": organisation, "CATEGORIES": categories, "PHOTO": picture("photo"), "LOGO": picture("logo"),
	"SOUND": picture("sound"), "KEY": key, "VERSION": none, "SORT-STRING": none,
}

func text(s string) *stanza.Element { return stanza.TextElement(NS, "text", s) }

// temp returns the text of a part of a property of vcard-temp.
func temp(x *stanza.Element, local string) string {
	return strings.TrimSpace(x.ChildText(NSTemp, local))
}

func one(x *stanza.Element) ([]*stanza.Element, bool) { return []*stanza.Element{x}, true }

func none(*stanza.Element) ([]*stanza.Element, bool) { return nil, true }

func asText(local string) property { return asValue(local, "text") }

func asValue(local, kind string) property {
	return func(x *stanza.Element) ([]*stanza.Element, bool) {
		s := strings.TrimSpace(x.Text())
		if s == "" {
			return nil, true
		}
		return one(stanza.NewElement(NS, local).Add(stanza.TextElement(NS, kind, s)))
	}
}

// birthday is a date where it looks like one (RFC 6350 §4.3.1), else text, which RFC 6351 allows too.
func birthday(x *stanza.Element) ([]*stanza.Element, bool) {
	s := strings.TrimSpace(x.Text())
	if s != "" && strings.Trim(s, "0123456789-") == "" {
		return asValue("bday", "date")(x)
	}
	return asText("bday")(x)
}

// parts are the parts of a structured property, in both formats.
type parts []struct{ temp, modern string }

var (
	nameParts    = parts{{"FAMILY", "surname"}, {"GIVEN", "given"}, {"MIDDLE", "additional"}, {"PREFIX", "prefix"}, {"SUFFIX", "suffix"}}
	addressParts = parts{{"POBOX", "pobox"}, {"EXTADD", "ext"}, {"STREET", "street"}, {"LOCALITY", "locality"}, {"REGION", "region"}, {"PCODE", "code"}, {"CTRY", "country"}}
)

// toModern adds the parts of a property of vcard-temp, and reports whether there is one.
func (p parts) toModern(to, x *stanza.Element) bool {
	found := false
	for _, part := range p {
		s := temp(x, part.temp)
		found = found || s != ""
		to.Add(stanza.TextElement(NS, part.modern, s)) // RFC 6351 Appendix A: all parts are there
	}
	return found
}

func name(x *stanza.Element) ([]*stanza.Element, bool) {
	n := stanza.NewElement(NS, "n")
	if !nameParts.toModern(n, x) {
		return nil, true
	}
	return one(n)
}

func address(x *stanza.Element) ([]*stanza.Element, bool) {
	a := typed("adr", x)
	if !addressParts.toModern(a, x) {
		return nil, true
	}
	return one(a)
}

// kinds are the types of vcard-temp that vCard4 still has (XEP-0292: ADR, TEL), and CELL and the others in its words.
var kinds = parts{{"HOME", "home"}, {"WORK", "work"}, {"VOICE", "voice"}, {"FAX", "fax"}, {"PAGER", "pager"}, {"CELL", "cell"}, {"VIDEO", "video"}}

// typed returns a property with the types of one of vcard-temp.
func typed(local string, x *stanza.Element) *stanza.Element {
	types := stanza.NewElement(NS, "type")
	for _, k := range kinds {
		if x.Child(NSTemp, k.temp) != nil {
			types.Add(text(k.modern))
		}
	}
	var list []*stanza.Element
	if !Empty(types) {
		list = append(list, types)
	}
	if x.Child(NSTemp, "PREF") != nil {
		list = append(list, stanza.NewElement(NS, "pref").Add(stanza.TextElement(NS, "integer", "1")))
	}
	p := stanza.NewElement(NS, local)
	if len(list) > 0 {
		p.Add(parameters(list...))
	}
	return p
}

func parameters(list ...*stanza.Element) *stanza.Element {
	return stanza.NewElement(NS, "parameters").Add(list...)
}

// telephone has a tel: URI where the number can be one (RFC 3966 §3), else text (RFC 6351 Appendix A).
func telephone(x *stanza.Element) ([]*stanza.Element, bool) {
	number := temp(x, "NUMBER")
	switch {
	case number == "":
		return nil, true
	case strings.Trim(number, "+0123456789-.()") == "":
		return one(typed("tel", x).Add(stanza.TextElement(NS, "uri", "tel:"+number)))
	}
	return one(typed("tel", x).Add(text(number)))
}

func email(x *stanza.Element) ([]*stanza.Element, bool) {
	s := temp(x, "USERID")
	if s == "" {
		s = strings.TrimSpace(x.Text()) // as some clients write it
	}
	if s == "" {
		return nil, true
	}
	return one(typed("email", x).Add(text(s)))
}

func jabberID(x *stanza.Element) ([]*stanza.Element, bool) {
	s := strings.TrimSpace(x.Text())
	if s == "" {
		return nil, true
	}
	return one(stanza.NewElement(NS, "impp").Add(stanza.TextElement(NS, "uri", xmppURI(s))))
}

func position(x *stanza.Element) ([]*stanza.Element, bool) {
	lat, lon := temp(x, "LAT"), temp(x, "LON")
	if lat == "" || lon == "" {
		return nil, true
	}
	return one(stanza.NewElement(NS, "geo").Add(stanza.TextElement(NS, "uri", "geo:"+lat+","+lon)))
}

// organisation keeps the units: in RFC 6351 an org has several texts.
func organisation(x *stanza.Element) ([]*stanza.Element, bool) {
	org := stanza.NewElement(NS, "org").Add(text(temp(x, "ORGNAME")))
	found := temp(x, "ORGNAME") != ""
	for u := range x.Named(NSTemp, "ORGUNIT") {
		if s := strings.TrimSpace(u.Text()); s != "" {
			org.Add(text(s))
			found = true
		}
	}
	if !found {
		return nil, true
	}
	return one(org)
}

func categories(x *stanza.Element) ([]*stanza.Element, bool) {
	list := stanza.NewElement(NS, "categories")
	for k := range x.Named(NSTemp, "KEYWORD") {
		if s := strings.TrimSpace(k.Text()); s != "" {
			list.Add(text(s))
		}
	}
	if Empty(list) {
		return nil, true
	}
	return one(list)
}

// picture is a picture or a sound: a data: URI (RFC 2397), or the address of one.
func picture(local string) property {
	return func(x *stanza.Element) ([]*stanza.Element, bool) {
		uri := temp(x, "EXTVAL")
		if data := strings.Join(strings.Fields(x.ChildText(NSTemp, "BINVAL")), ""); data != "" {
			uri = "data:" + temp(x, "TYPE") + ";base64," + data
		}
		if uri == "" {
			return nil, true
		}
		return one(stanza.NewElement(NS, local).Add(stanza.TextElement(NS, "uri", uri)))
	}
}

func key(x *stanza.Element) ([]*stanza.Element, bool) {
	s := temp(x, "CRED")
	if s == "" {
		return nil, true
	}
	return one(stanza.NewElement(NS, "key").Add(text(s)))
}
