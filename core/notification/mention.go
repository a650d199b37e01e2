package notification

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Namespaces of mentions.
const (
	NSMentions  = "urn:xmpp:mentions:0"  // XEP-0513
	nsReference = "urn:xmpp:reference:0" // XEP-0372
	nsReply     = "urn:xmpp:reply:0"     // XEP-0461
)

// Bounds of what is read of one message.
const (
	maxMentions = 100
	maxText     = 4096 // bytes of the text in which nicknames are looked for
)

// Member is an account as a room knows it.
type Member struct {
	Account     jid.JID // bare
	Nick        string  // the one that it has in the room; "" if it has none
	OccupantID  string  // XEP-0421; "" if unknown
	Affiliation string  // as in XEP-0045; "" is none
}

// mentions is what a message says about whom it mentions.
type mentions struct {
	explicit  bool            // whom it mentions is said by elements of XEP-0513
	occupants map[string]bool // by occupant id
	accounts  map[jid.JID]bool
	nicks     map[string]bool // of references and of the message that is answered
	groups    map[string]bool // names behind the # of XEP-0513 §3.2
	text      string          // in lower case, without quotations
	words     map[string]bool // of text
}

// readMentions reads whom a message of a room mentions.
func readMentions(room jid.JID, st *stanza.Stanza) *mentions {
	m := &mentions{occupants: map[string]bool{}, accounts: map[jid.JID]bool{}, nicks: map[string]bool{}, groups: map[string]bool{}}
	n := 0
	for e := range st.Tree().Elements() {
		switch {
		case n >= maxMentions:
		case e.Is(NSMentions, "mention"):
			n++
			m.explicit = true
			m.add(room, e)
		case e.Is(nsReference, "reference") && e.Attr("type") == "mention":
			n++
			m.refer(room, strings.TrimPrefix(e.Attr("uri"), "xmpp:"))
		case e.Is(nsReply, "reply"): // XEP-0492 §3
			n++
			m.refer(room, e.Attr("to"))
		}
	}
	m.read(st.Body())
	return m
}

// add reads a mention (XEP-0513 §3).
func (m *mentions) add(room jid.JID, e *stanza.Element) {
	if e.Child(NSMentions, "noping") != nil { // XEP-0513 §3.5.2
		return
	}
	group, grouped := e.LookupAttr("", "mentions")
	if !grouped {
		if id := e.Attr("occupantid"); id != "" {
			m.occupants[id] = true
		} else if to, err := jid.Parse(e.Attr("jid")); err == nil {
			m.accounts[to.Bare()] = true
		}
		return
	}
	if e.Child(NSMentions, "active") != nil { // XEP-0513 §3.5.1: who has no active client is not meant
		return
	}
	if uri := e.Attr("uri"); uri != "" && strings.TrimPrefix(uri, "xmpp:") != room.String() {
		return // another room, or a space, a server or a hat
	}
	if name, ok := strings.CutPrefix(group, NSMentions+"#"); ok {
		m.groups[name] = true
	}
}

// refer notes an address, of an occupant or of an account.
func (m *mentions) refer(room jid.JID, address string) {
	to, err := jid.Parse(address)
	switch {
	case err != nil:
	case to.Bare() != room:
		m.accounts[to.Bare()] = true
	case to.Resource() != "":
		m.nicks[to.Resource()] = true
	}
}

// read notes the text, without the lines that quote others.
func (m *mentions) read(body string) {
	if len(body) > maxText {
		body = strings.ToValidUTF8(body[:maxText], "")
	}
	var kept strings.Builder
	for line := range strings.Lines(body) {
		if !strings.HasPrefix(line, ">") {
			kept.WriteString(line)
		}
	}
	m.text = strings.ToLower(kept.String())
	m.words = map[string]bool{}
	for _, w := range strings.FieldsFunc(m.text, func(r rune) bool { return !inWord(r) }) {
		m.words[w] = true
	}
}

// of reports whether a member is mentioned.
func (m *mentions) of(who Member) bool {
	if who.OccupantID != "" && m.occupants[who.OccupantID] || m.accounts[who.Account] || who.Nick != "" && m.nicks[who.Nick] {
		return true
	}
	if m.explicit { // the text counts only where the occupant id of the member is not known
		return m.group(who.Affiliation) || len(m.occupants) > 0 && who.OccupantID == "" && m.named(who.Nick)
	}
	return m.named(who.Nick)
}

// group reports whether one of the mentioned groups has members with an affiliation (XEP-0513 §3.2). Who is not in the room has the role
// that follows from the affiliation.
func (m *mentions) group(affiliation string) bool {
	if len(m.groups) == 0 {
		return false
	}
	if affiliation == "" {
		affiliation = "none"
	}
	role := "participants"
	if affiliation == "owner" || affiliation == "admin" {
		role = "moderators"
	}
	return m.groups["channel"] || m.groups[affiliation] || m.groups[role]
}

// named reports whether the text has a nickname as a whole: not as a part of a longer word.
func (m *mentions) named(nick string) bool {
	nick = strings.ToLower(strings.TrimSpace(nick))
	first := strings.IndexFunc(nick, inWord)
	if first < 0 || len(nick) > len(m.text) {
		return nick != "" && strings.Contains(m.text, nick) // signs only
	}
	word := nick[first:]
	if end := strings.IndexFunc(word, func(r rune) bool { return !inWord(r) }); end >= 0 {
		word = word[:end]
	}
	if !m.words[word] {
		return false
	}
	for at := 0; at <= len(m.text)-len(nick); {
		i := strings.Index(m.text[at:], nick)
		if i < 0 {
			return false
		}
		at += i
		before, _ := utf8.DecodeLastRuneInString(m.text[:at])
		after, _ := utf8.DecodeRuneInString(m.text[at+len(nick):])
		if !inWord(before) && !inWord(after) {
			return true
		}
		at++
	}
	return false
}

// inWord reports whether a character is a part of a word.
func inWord(r rune) bool {
	return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) || r == '_')
}
