package s2s

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"strings"

	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/stream"
)

// Namespaces of dialback (XEP-0220 §2.3).
const (
	nsDialback        = "jabber:server:dialback"
	nsDialbackFeature = "urn:xmpp:features:dialback"
)

// prefixes are those that our headers declare: some servers accept only this one (XEP-0220 §2.3.1).
var prefixes = []stream.Prefix{{Prefix: "db", Space: nsDialback}}

// Types of results and verifications.
const (
	typeValid   = "valid"
	typeInvalid = "invalid"
	typeError   = "error"
)

// Conditions of dialback errors (XEP-0220 §2.4.2).
const (
	condNotFound      = "item-not-found"
	condNoConnection  = "remote-connection-failed"
	condNoServer      = "remote-server-not-found"
	condTimeout       = "remote-server-timeout"
	condPolicy        = "policy-violation"
	condNotAuthorized = "not-authorized"
	condForbidden     = "forbidden"
	condNotAcceptable = "not-acceptable"
	condNoResources   = "resource-constraint"
)

// Limits of what another server may send, in bytes.
const (
	maxCondition   = 64
	maxDialbackKey = 512
	maxStreamID    = 512
)

// keys makes the dialback keys of our domains.
type keys struct{ secret string }

// newKeys hashes the secret, so that it is long enough as a key (XEP-0185 §2).
func newKeys(secret []byte) keys {
	sum := sha256.Sum256(secret)
	return keys{hex.EncodeToString(sum[:])}
}

// of returns the key that proves, to the server of p.theirs, that its stream with that id is from the server of p.ours. The spaces
// keep different pairs apart (CVE-2016-0756).
func (k keys) of(p pair, id string) string {
	mac := hmac.New(sha256.New, []byte(k.secret))
	mac.Write([]byte(p.theirs + " " + p.ours + " " + id)) // XEP-0185 §2
	return hex.EncodeToString(mac.Sum(nil))
}

// valid reports whether key is that of the pair and the stream. It takes the same time for every wrong one (CVE-2021-32921).
func (k keys) valid(p pair, id, key string) bool {
	return subtle.ConstantTimeCompare([]byte(k.of(p, id)), []byte(key)) == 1
}

// dialback is a result or verify element.
type dialback struct {
	name      string // result or verify
	from, to  string
	id        string // of verify
	typ       string // "" for a request
	key       string // of a request
	condition string // of an error
}

// append appends the element to dst.
func (d *dialback) append(dst []byte) []byte {
	dst = append(append(dst, "<db:"...), d.name...)
	dst = stanza.AppendAttr(dst, "from", d.from)
	dst = stanza.AppendAttr(dst, "to", d.to)
	dst = stanza.AppendAttr(dst, "id", d.id)
	dst = stanza.AppendAttr(dst, "type", d.typ)
	switch {
	case d.typ == typeError:
		dst = append(dst, "><error type='"+errorType(d.condition)+"'><"...)
		dst = append(append(dst, d.condition...), " xmlns='"+stanza.NSStanzas+"'/></error></db:"...)
	case d.key != "":
		dst = stanza.AppendEscaped(append(dst, '>'), d.key)
		dst = append(dst, "</db:"...)
	default:
		return append(dst, '/', '>')
	}
	return append(append(dst, d.name...), '>')
}

// errorType returns the type of a stanza error that has the condition (RFC 6120 §8.3.3).
func errorType(condition string) string {
	switch condition {
	case condTimeout, condNoResources:
		return "wait"
	case condPolicy, condNotAcceptable:
		return "modify"
	case condNotAuthorized, condForbidden:
		return "auth"
	}
	return "cancel"
}

// readDialback reads a result or verify element. Its error ends the stream.
func readDialback(it *stream.Item) (d dialback, err error) {
	e, err := it.Tree()
	if err != nil {
		return d, err
	}
	d = dialback{name: e.Local, id: e.Attr("id"), typ: e.Attr("type"), key: strings.TrimSpace(e.Text())}
	var okFrom, okTo bool
	d.from, okFrom = parseDomain(e.Attr("from"))
	d.to, okTo = parseDomain(e.Attr("to"))
	if !okFrom || !okTo {
		return d, stream.NewError(stream.ImproperAddressing, "dialback needs the domains from and to") // RFC 6120 §4.9.3.7
	}
	if len(d.key) > maxDialbackKey || len(d.id) > maxStreamID {
		return d, stream.NewError(stream.PolicyViolation, "dialback key or id is too long")
	}
	if d.typ == typeError {
		d.condition = conditionOf(e)
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

// dialbackFeature says that errors do not end our streams (XEP-0220 §2.3.2).
func dialbackFeature() *stanza.Element {
	return stanza.NewElement(nsDialbackFeature, "dialback").Add(stanza.NewElement(nsDialbackFeature, "errors"))
}
