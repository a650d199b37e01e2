package blocking

import (
	"strings"
	"unicode/utf8"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// NSReport is the namespace of XEP-0377.
const NSReport = "urn:xmpp:reporting:1"

const nsStanzaID = "urn:xmpp:sid:0" // XEP-0359

// Limits of what is kept of a report.
const (
	maxReason = 255
	maxText   = 2000 // bytes
	maxIDs    = 20
	maxID     = 255 // bytes
)

// Report is what an account says about an address that it blocks (XEP-0377 §4).
type Report struct {
	Account    jid.JID
	Reported   jid.JID
	Reason     string // such as urn:xmpp:reporting:spam
	Text       string
	IDs        []string // stanza-ids of messages in the account's archive
	ToOrigin   bool     // it may be forwarded to the domain of the reported address (XEP-0377 §5)
	ThirdParty bool     // it may be forwarded to others
}

// parseReport returns the report in an item, or nil. A report that cannot be used never prevents the block (XEP-0377 §6).
func parseReport(account, reported jid.JID, item *stanza.Element) *Report {
	x := item.Child(NSReport, "report")
	reason := x.Attr("reason")
	if reason == "" || len(reason) > maxReason || !clean(reason) {
		return nil
	}
	r := &Report{
		Account: account, Reported: reported, Reason: strings.Clone(reason),
		ToOrigin: x.Child(NSReport, "report-origin") != nil, ThirdParty: x.Child(NSReport, "third-party") != nil,
	}
	for e := range x.Elements() {
		switch {
		case e.Is(NSReport, "text") && r.Text == "":
			r.Text = shorten(strings.TrimSpace(strings.ReplaceAll(e.Text(), "\x00", "")))
		case e.Is(nsStanzaID, "stanza-id") && len(r.IDs) < maxIDs:
			if id := e.Attr("id"); id != "" && len(id) <= maxID && clean(id) {
				r.IDs = append(r.IDs, strings.Clone(id))
			}
		}
	}
	return r
}

// clean reports whether text is one line.
func clean(text string) bool { return !strings.ContainsAny(text, "\n\r\x00") }

func shorten(text string) string {
	if len(text) <= maxText {
		return strings.Clone(text)
	}
	text = text[:maxText]
	for !utf8.ValidString(text) {
		text = text[:len(text)-1]
	}
	return text + "…"
}
