package sasl

import (
	"context"
	"encoding/base64"
	"strconv"
	"strings"

	"github.com/dragoman-im/dragoman/core/stanza"
)

// Namespaces and names of upgrades (XEP-0480).
const (
	nsUpgrade      = "urn:xmpp:sasl:upgrade:0"
	nsScramUpgrade = "urn:xmpp:scram-upgrade:0"
	upgradePrefix  = "UPGR-SCRAM-"
)

// upgradable are the hashes of which an account gets a key from its client, the best first.
var upgradable = []Hash{SHA512, SHA256}

// Keys stores keys that accounts lack.
type Keys interface {
	// AddKey stores the key of a hash for an account that has none of it. ErrTokenGone means that what the client has proved is not
	// valid any more.
	AddKey(ctx context.Context, username string, h Hash, k Key, p Proved) error
}

// upgradeFeatures announces the upgrades (XEP-0480 §2.1): the same for all accounts, so that they reveal nothing.
func (s *Server) upgradeFeatures(c Conn) []*stanza.Element {
	if s.cfg.Keys == nil || !withKeys(s, &c) {
		return nil
	}
	var out []*stanza.Element
	for _, h := range upgradable {
		out = append(out, stanza.TextElement(nsUpgrade, "upgrade", upgradePrefix+h.String()))
	}
	return out
}

// tasks are the upgrades that follow a login with a password.
type tasks struct {
	id      Identity
	missing []Hash // to do, the first is under way
	key     Key    // salt and rounds that the client was given; none before it has begun
}

// upgrades returns the upgrades that a client has asked for and its account lacks.
func (s *Server) upgrades(r *Request, id Identity) []Hash {
	var out []Hash
	for _, h := range upgradable {
		if s.cfg.Keys == nil || id.proved.StoredKey == nil || !id.missing[h] {
			continue
		}
		for e := range r.Element.Named(nsUpgrade, "upgrade") {
			if e.Text() == upgradePrefix+h.String() {
				out = append(out, h)
				break
			}
		}
	}
	return out
}

// appendContinue asks for the upgrade that is first (XEP-0480 §2.2).
func (t *tasks) appendContinue(dst, data []byte) []byte {
	dst = append(dst, "<continue xmlns='"+NS2+"'>"...)
	if data != nil {
		dst = appendData2(dst, "additional-data", data)
	}
	return append(append(append(dst, "<tasks><task>"+upgradePrefix...), t.missing[0].String()...), "</task></tasks></continue>"...)
}

// task handles an element of the client while there are tasks: <next/> begins one, <task-data/> has its result.
func (d *Dialogue) task(ctx context.Context, e *stanza.Element) (Outcome, error) {
	t := d.tasks
	h := t.missing[0]
	if e.Local == "next" {
		if t.key.Salt != nil || e.Attr("task") != upgradePrefix+h.String() {
			return Outcome{}, fail(MalformedRequest, "another task")
		}
		t.key = d.server.lackedKey(t.id.JID.Local(), h, t.id.shape)
		salt := stanza.TextElement(nsScramUpgrade, "salt", base64.StdEncoding.EncodeToString(t.key.Salt)).With("iterations", strconv.Itoa(t.key.Iterations))
		return Outcome{Reply: stanza.NewElement(NS2, "task-data").Add(salt).Append(nil, "")}, nil
	}
	salted, err := decodeStrict(strings.Trim(e.ChildText(nsScramUpgrade, "hash"), " \t\r\n"))
	if t.key.Salt == nil || err != nil || len(salted) != h.size() {
		return Outcome{}, fail(MalformedRequest, "no salted password")
	}
	key := keyOf(h, salted, t.key.Salt, t.key.Iterations)
	if err := d.server.cfg.Keys.AddKey(ctx, t.id.JID.Local(), h, key, t.id.proved); err != nil {
		return Outcome{}, err
	}
	t.key, t.missing = Key{}, t.missing[1:]
	if len(t.missing) > 0 {
		return Outcome{Reply: t.appendContinue(nil, nil)}, nil
	}
	r := d.request
	d.tasks, d.request = nil, nil
	return Outcome{Identity: &t.id, Request: r}, nil
}

// lackedKey returns a key for an account that has none of a hash. Its salt and rounds are those which the server has shown before: an
// account that gets a key cannot be told from a name without an account.
func (s *Server) lackedKey(username string, h Hash, shape Shape) Key {
	k := s.decoyKey(username, h, shape)
	k.StoredKey, k.ServerKey = nil, nil
	return k
}

// addKeys gives an account the keys that it lacks, when its password is known. A failure does not keep the client from logging in; the
// store logs it, and the next login tries again.
func (s *Server) addKeys(ctx context.Context, id Identity, prepared string) {
	if s.cfg.Keys == nil {
		return
	}
	for h := range hashes {
		if !id.missing[h] {
			continue
		}
		k := s.lackedKey(id.JID.Local(), h, id.shape)
		if key, err := deriveKey(h, prepared, k.Salt, k.Iterations); err == nil {
			_ = s.cfg.Keys.AddKey(ctx, id.JID.Local(), h, key, id.proved)
		}
	}
}
