package convert

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/richtext"
)

// maxMentions is how many people one message refers to.
const maxMentions = 50

// Mentioned knows the addresses of those whom messages of a conversation mention.
type Mentioned struct {
	Addresses Addresses
	Direct    bool
	// Address is that of a person: in rooms the occupant's; "" where there is none.
	Address func(user transports.UserID, name string) string
}

// elements are the references to those whom a text mentions: of XEP-0372 and of XEP-0513, which clients and servers know either of.
func (m Mentioned) elements(rendered Rendered) (list []*stanza.Element) {
	if m.Address == nil {
		return nil
	}
	n := 0
	for _, p := range rendered.Ranges {
		if n == maxMentions {
			break
		}
		begin, end := strconv.Itoa(p.Begin), strconv.Itoa(p.End)
		switch p.Node.Kind {
		case richtext.Mention:
			n++
			user := transports.UserID(p.Node.ID)
			address := m.Address(user, p.Node.Text)
			if address == "" || user == "" {
				continue
			}
			list = append(list, // XEP-0372 §3.2
				stanza.NewElement(NSReference, "reference").With("type", "mention").With("begin", begin).With("end", end).With("uri", uri(address)))
			mention := stanza.NewElement(NSMentions, "mention").With("begin", begin).With("end", end) // XEP-0513 §3.1
			if m.Direct {
				mention.With("jid", address)
			} else {
				mention.With("occupantid", m.Addresses.Occupant(user, ""))
			}
			list = append(list, mention)
		case richtext.All:
			if m.Direct {
				continue
			}
			n++
			mention := stanza.NewElement(NSMentions, "mention").With("mentions", NSMentions+"#channel").With("begin", begin).With("end", end) // XEP-0513 §3.2.1.1
			if p.Node.Text == "here" {
				mention.Add(stanza.NewElement(NSMentions, "active")) // XEP-0513 §3.5.1
			}
			list = append(list, mention)
		}
	}
	return list
}

// uri is an address as a URI (RFC 5122 §2.2).
func uri(address string) string {
	j, err := jid.Parse(address)
	if err != nil {
		return ""
	}
	s := "xmpp:" + url.PathEscape(j.Local()) + "@" + j.Domain()
	if r := j.Resource(); r != "" {
		s += "/" + url.PathEscape(r)
	}
	return strings.ReplaceAll(s, "+", "%2B")
}

// mentioning is what an element of a stanza refers to: part of its body, from Begin until before End in characters, and a person.
type mentioning struct {
	begin, end int
	user       transports.UserID
	all        string // "here" or "channel", where it refers to everybody in the room
}

// allWords are what people write, behind "@" or without it, to alert everybody.
var allWords = map[string]bool{"here": true, "channel": true, "everyone": true, "all": true}

// referred are the references to people in a stanza that resolve to somebody of the network, in the order of their ranges.
func (p Parser) referred(st *stanza.Stanza) (list []mentioning) {
	if p.Who == nil {
		return nil
	}
	n := 0
	for e := range st.Tree().Elements() {
		var to Referred
		all := ""
		switch {
		case e.Is(NSReference, "reference") && e.Attr("type") == "mention":
			to.Address = address(e.Attr("uri"))
		case e.Is(NSMentions, "mention") && e.Attr("mentions") == "":
			to.Address, to.Occupant = e.Attr("jid"), e.Attr("occupantid")
		case e.Is(NSMentions, "mention") && e.Attr("mentions") == NSMentions+"#channel" && p.All:
			if all = "channel"; e.Child(NSMentions, "active") != nil { // XEP-0513 §3.5.1
				all = "here"
			}
		default:
			continue
		}
		if n++; n > maxMentions {
			break
		}
		begin, err1 := strconv.Atoi(e.Attr("begin"))
		end, err2 := strconv.Atoi(e.Attr("end"))
		if err1 != nil || err2 != nil || begin < 0 || end <= begin {
			continue
		}
		if all != "" {
			list = append(list, mentioning{begin: begin, end: end, all: all})
		} else if user, ok := p.Who(to); ok {
			list = append(list, mentioning{begin: begin, end: end, user: user})
		}
	}
	return list
}

// address is that of a URI.
func address(s string) string {
	rest, ok := strings.CutPrefix(s, "xmpp:")
	rest, _, _ = strings.Cut(rest, "?")
	plain, err := url.PathUnescape(rest)
	if !ok || err != nil {
		return ""
	}
	return plain
}

// Referred is who is referred to: by an address, of an account or an occupant, by an occupant id, or by a nickname.
type Referred struct{ Address, Occupant, Nick string }

// maxAddressed is the longest nickname with which a message may begin, in bytes.
const maxAddressed = 100

// addressed is the person whose nickname a text begins with, as in "Ann: hello", and how long that is in characters.
func (p Parser) addressed(text string) (m mentioning, ok bool) {
	if p.Who == nil {
		return m, false
	}
	at := strings.IndexAny(text[:min(len(text), maxAddressed)], ":,\n")
	if at <= 0 || text[at] == '\n' || !strings.HasPrefix(text[at+1:], " ") {
		return m, false
	}
	nick := text[:at]
	user, ok := p.Who(Referred{Nick: nick})
	return mentioning{end: utf8.RuneCountInString(nick), user: user}, ok
}

// change replaces a part of a text, counted in characters.
type change struct {
	begin, end int
	by         string
}

// changed is a text with changes, of which those are left out that are no part of it or overlap.
func changed(s string, list []change) string {
	slices.SortStableFunc(list, func(a, b change) int { return a.begin - b.begin })
	runes := []rune(s)
	var b strings.Builder
	at := 0
	for _, c := range list {
		if c.begin < at || c.end > len(runes) || c.begin >= c.end {
			continue
		}
		b.WriteString(string(runes[at:c.begin]) + c.by)
		at = c.end
	}
	return b.String() + string(runes[at:])
}

// mark stands in a text for a mention. XML has neither of the two characters.
func mark(i int) string { return "\x02" + strconv.Itoa(i) + "\x03" }

// withMentions puts mentions into a text where their marks are; in code and in addresses it is what was written. It changes t.
func withMentions(t richtext.Text, list []richtext.Node) richtext.Text {
	var out richtext.Text
	for _, n := range t {
		switch {
		case n.Kind == richtext.Plain:
			out = append(out, unmark(n.Text, list)...)
			continue
		case strings.Contains(n.Text, "\x02"):
			n.Text = asWritten(unmark(n.Text, list))
		case strings.Contains(n.URL, "\x02"):
			n.URL = asWritten(unmark(n.URL, list))
		}
		n.Children = withMentions(n.Children, list)
		out = append(out, n)
	}
	return out
}

func unmark(s string, list []richtext.Node) (t richtext.Text) {
	for s != "" {
		before, rest, found := strings.Cut(s, "\x02")
		if before != "" {
			t = append(t, richtext.Node{Text: before})
		}
		if !found {
			break
		}
		number, behind, _ := strings.Cut(rest, "\x03")
		if i, err := strconv.Atoi(number); err == nil && i < len(list) {
			t = append(t, list[i])
		}
		s = behind
	}
	return t
}

// asWritten is what a person wrote in place of mentions.
func asWritten(t richtext.Text) string {
	var b strings.Builder
	for _, n := range t {
		if n.Kind == richtext.All {
			b.WriteString(n.ID)
			continue
		}
		b.WriteString(n.URL + n.Text)
	}
	return b.String()
}
