package dialback

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"strings"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/stream"
)

// Namespaces of dialback (XEP-0220 §2.3).
const (
	NS        = "jabber:server:dialback"
	NSFeature = "urn:xmpp:features:dialback"
)

// Prefixes are those that our headers declare: some servers accept only this one (XEP-0220 §2.3.1).
var Prefixes = []stream.Prefix{{Prefix: "db", Space: NS}}

// Types of results and verifications.
const (
	TypeValid   = "valid"
	TypeInvalid = "invalid"
	TypeError   = "error"
)

// Conditions of dialback errors (XEP-0220 §2.4.2).
const (
	NotFound      = "item-not-found"
	NoConnection  = "remote-connection-failed"
	NoServer      = "remote-server-not-found"
	Timeout       = "remote-server-timeout"
	Policy        = "policy-violation"
	NotAuthorized = "not-authorized"
	Forbidden     = "forbidden"
	NotAcceptable = "not-acceptable"
	NoResources   = "resource-constraint"
)

// Limits of what another server may send, in bytes.
const (
	maxCondition = 64
	maxKey       = 512
	maxStreamID  = 512
)

// Keys makes the dialback keys of our domains.
type Keys struct{ secret string }

// NewKeys hashes the secret, so that it is long enough as a key (XEP-0185 §2).
func NewKeys(secret []byte) Keys {
	sum := sha256.Sum256(secret)
	return Keys{hex.EncodeToString(sum[:])}
}

// Of returns the key that proves, to the server of theirs, that its stream with that id is from the server of ours. The spaces
// keep different pairs apart (CVE-2016-0756).
func (k Keys) Of(ours, theirs, id string) string {
	mac := hmac.New(sha256.New, []byte(k.secret))
	mac.Write([]byte(theirs + " " + ours + " " + id)) // XEP-0185 §2
	return hex.EncodeToString(mac.Sum(nil))
}

// Valid reports whether key is that of the two domains and the stream. It takes the same time for every wrong one (CVE-2021-32921).
func (k Keys) Valid(ours, theirs, id, key string) bool {
	return subtle.ConstantTimeCompare([]byte(k.Of(ours, theirs, id)), []byte(key)) == 1
}

// Element is a result or verify element.
type Element struct {
	Name      string // result or verify
	From, To  string
	ID        string // of verify
	Type      string // "" for a request
	Key       string // of a request
	Condition string // of an error
}

// Append appends the element to dst.
func (d *Element) Append(dst []byte) []byte {
	dst = append(append(dst, "<db:"...), d.Name...)
	dst = stanza.AppendAttr(dst, "from", d.From)
	dst = stanza.AppendAttr(dst, "to", d.To)
	dst = stanza.AppendAttr(dst, "id", d.ID)
	dst = stanza.AppendAttr(dst, "type", d.Type)
	switch {
	case d.Type == TypeError:
		dst = append(dst, "><error type='"+errorType(d.Condition)+"'><"...)
		dst = append(append(dst, d.Condition...), " xmlns='"+stanza.NSStanzas+"'/></error></db:"...)
	case d.Key != "":
		dst = stanza.AppendEscaped(append(dst, '>'), d.Key)
		dst = append(dst, "</db:"...)
	default:
		return append(dst, '/', '>')
	}
	return append(append(dst, d.Name...), '>')
}

// errorType returns the type of a stanza error that has the condition (RFC 6120 §8.3.3).
func errorType(condition string) string {
	switch condition {
	case Timeout, NoResources:
		return "wait"
	case Policy, NotAcceptable:
		return "modify"
	case NotAuthorized, Forbidden:
		return "auth"
	}
	return "cancel"
}

// Read reads a result or verify element. Its error ends the stream.
func Read(it *stream.Item) (d Element, err error) {
	e, err := it.Tree()
	if err != nil {
		return d, err
	}
	d = Element{Name: e.Local, ID: e.Attr("id"), Type: e.Attr("type"), Key: strings.TrimSpace(e.Text())}
	var okFrom, okTo bool
	d.From, okFrom = ParseDomain(e.Attr("from"))
	d.To, okTo = ParseDomain(e.Attr("to"))
	if !okFrom || !okTo {
		return d, stream.NewError(stream.ImproperAddressing, "dialback needs the domains from and to") // RFC 6120 §4.9.3.7
	}
	if len(d.Key) > maxKey || len(d.ID) > maxStreamID {
		return d, stream.NewError(stream.PolicyViolation, "dialback key or id is too long")
	}
	if d.Type == TypeError {
		d.Condition = conditionOf(e)
	}
	return d, nil
}

// conditionOf returns the condition of a dialback error.
func conditionOf(e *stanza.Element) string {
	for child := range e.Elements() {
		if child.Local != "error" {
			continue
		}
		for c := range child.Elements() {
			if c.Space == stanza.NSStanzas && c.Local != "text" && len(c.Local) <= maxCondition {
				return c.Local
			}
		}
	}
	return ""
}

// Feature says that errors do not end our streams (XEP-0220 §2.3.2).
func Feature() *stanza.Element {
	return stanza.NewElement(NSFeature, "dialback").Add(stanza.NewElement(NSFeature, "errors"))
}

// ParseDomain returns the normalised form of a domain.
func ParseDomain(text string) (string, bool) {
	d, err := jid.Parse(text)
	if err != nil || !d.IsHost() {
		return "", false
	}
	return d.String(), true
}
