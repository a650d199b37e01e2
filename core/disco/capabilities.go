package disco

import (
	"crypto/sha256"
	"crypto/sha3"
	"crypto/sha512"
	"encoding/base64"
	"hash"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Namespaces of XEP-0390.
const (
	NSCaps2  = "urn:xmpp:caps"
	nsHashes = "urn:xmpp:hashes:2"
)

// notifySuffix is behind the nodes in the features of an entity that wants their notifications (XEP-0060 §9.2).
const notifySuffix = "+notify"

// Capabilities are what all entities with the same hash have: the names of the nodes that they want notifications of, and what they are.
// It is empty until SetInfo is called.
type Capabilities struct {
	identity atomic.Pointer[Identity] // set before nodes
	nodes    atomic.Pointer[map[string]struct{}]
}

// Known reports whether SetInfo was called.
func (c *Capabilities) Known() bool { return c != nil && c.nodes.Load() != nil }

// Identity returns what the entity is: a client, if it is several things. It has no names, and is the zero value as long as it is not known.
func (c *Capabilities) Identity() Identity {
	if c == nil {
		return Identity{}
	}
	if i := c.identity.Load(); i != nil {
		return *i
	}
	return Identity{}
}

// Wants reports whether notifications of a node are wanted; false for nil and as long as that is not known.
func (c *Capabilities) Wants(node string) bool {
	if c == nil {
		return false
	}
	nodes := c.nodes.Load()
	if nodes == nil {
		return false
	}
	_, ok := (*nodes)[node]
	return ok
}

// WantsSome reports whether notifications of any node are wanted.
func (c *Capabilities) WantsSome() bool {
	if c == nil {
		return false
	}
	nodes := c.nodes.Load()
	return nodes != nil && len(*nodes) > 0
}

// SetInfo takes over what an entity is, and from its features what is wanted.
func (c *Capabilities) SetInfo(i Info) {
	nodes := map[string]struct{}{}
	for _, f := range i.Features {
		if node, ok := strings.CutSuffix(f, notifySuffix); ok {
			nodes[strings.Clone(node)] = struct{}{}
		}
	}
	if len(i.Identities) > 0 {
		of := i.Identities[max(0, slices.IndexFunc(i.Identities, func(i Identity) bool { return i.Category == "client" }))]
		c.identity.Store(&Identity{Category: strings.Clone(of.Category), Type: strings.Clone(of.Type)})
	}
	c.nodes.Store(&nodes)
}

// CapsHash identifies capabilities: the hash function, and the base64 text of its value.
type CapsHash struct {
	Generation int // 1: XEP-0115, 2: XEP-0390
	Algorithm  string
	Value      string
	Node       string // of the disco#info request
}

// Limits of what is read from a presence.
const (
	maxHash = 128 // characters of a value
	maxNode = 1023
)

// FindCapsHash returns the hash of a presence that can be checked; of several, that of XEP-0390. False: there is none.
func FindCapsHash(presence *stanza.Element) (CapsHash, bool) {
	if c := presence.Child(NSCaps2, "c"); c != nil {
		for h := range c.Named(nsHashes, "hash") {
			found := CapsHash{Generation: 2, Algorithm: h.Attr("algo"), Value: strings.TrimSpace(h.Text())}
			if caps2Hashes[found.Algorithm] != nil && found.Value != "" && len(found.Value) <= maxHash {
				found.Node = NSCaps2 + "#" + found.Algorithm + "." + found.Value // XEP-0390 §4.3
				return found, true
			}
		}
	}
	c := presence.Child(NSCaps, "c")
	if c == nil {
		return CapsHash{}, false
	}
	h := CapsHash{Generation: 1, Algorithm: c.Attr("hash"), Value: c.Attr("ver"), Node: c.Attr("node") + "#" + c.Attr("ver")}
	// Without a hash it is the format before version 1.4, whose ver proves nothing (XEP-0115 §6.2).
	return h, hashes[h.Algorithm] != nil && h.Value != "" && len(h.Value) <= maxHash && len(h.Node) <= maxNode
}

// Matches reports whether an answer to disco#info has that hash. An answer of which another one with the same hash could
// be made, and one that does not follow the rules of the hash, does not match (XEP-0115 §5.4, §9.1; XEP-0390 §4.1).
func (h CapsHash) Matches(query *stanza.Element) (Info, bool) {
	i, ok := ReadInfo(query)
	if !ok {
		return Info{}, false
	}
	if h.Generation == 2 {
		sum := caps2Hashes[h.Algorithm]()
		sum.Write([]byte(i.caps2String()))
		return i, base64.StdEncoding.EncodeToString(sum.Sum(nil)) == h.Value
	}
	if strings.Count(i.verString(), "<") != i.separators() {
		return Info{}, false
	}
	ver, err := i.Ver(h.Algorithm)
	return i, err == nil && ver == h.Value
}

// caps2Hashes are the hash functions that may be used (XEP-0390 §4.2).
var caps2Hashes = map[string]func() hash.Hash{
	"sha-256": sha256.New, "sha-512": sha512.New,
	"sha3-256": func() hash.Hash { return sha3.New256() }, "sha3-512": func() hash.Hash { return sha3.New512() },
}

// ownHashes are the hash functions of what this server announces of itself: those that everybody must have (XEP-0300 §8).
var ownHashes = []string{"sha-256", "sha3-256"}

// Announcement returns what an entity with this information announces in its presence, or in its stream: XEP-0115 §4, XEP-0390 §5.4. node is the
// URI of the software.
func (i Info) Announcement(node string) []*stanza.Element {
	c := stanza.NewElement(NSCaps2, "c")
	for _, h := range i.hashes() {
		c.Add(stanza.TextElement(nsHashes, "hash", h.Value).With("algo", h.Algorithm))
	}
	return []*stanza.Element{i.Caps(node).Element(), c}
}

// IsAnnounced reports whether a disco#info request is about what Announcement announces (XEP-0115 §6.2, XEP-0390 §5.5).
func (i Info) IsAnnounced(node, requested string) bool {
	return requested == i.Caps(node).InfoNode() || strings.HasPrefix(requested, NSCaps2+"#") &&
		slices.ContainsFunc(i.hashes(), func(h CapsHash) bool { return requested == h.Node })
}

// hashes returns the hashes of XEP-0390 that Announcement announces.
func (i Info) hashes() []CapsHash {
	input := []byte(i.caps2String())
	list := make([]CapsHash, 0, len(ownHashes))
	for _, name := range ownHashes {
		sum := caps2Hashes[name]()
		sum.Write(input)
		value := base64.StdEncoding.EncodeToString(sum.Sum(nil))
		list = append(list, CapsHash{Generation: 2, Algorithm: name, Value: value, Node: NSCaps2 + "#" + name + "." + value})
	}
	return list
}

// separators counts the "<" that verString adds.
func (i Info) separators() int {
	n := len(i.Identities) + len(i.Features)
	for _, f := range i.Forms {
		if f.FormType() == "" {
			continue
		}
		n++
		for _, fd := range f.Fields {
			if fd.Var != form.TypeVar {
				n += 1 + len(fd.Values)
			}
		}
	}
	return n
}

// ReadInfo reads an answer to disco#info. False: it is malformed, or has something twice.
func ReadInfo(query *stanza.Element) (Info, bool) {
	var i Info
	types := map[string]bool{}
	for x := range query.Elements() {
		switch {
		case x.Is(NSInfo, "identity"):
			// A slash would let a feature pass for an identity in the input of the hash function.
			if strings.ContainsAny(x.Attr("category")+x.Attr("type"), "/:") {
				return i, false
			}
			i.Identities = append(i.Identities, Identity{x.Attr("category"), x.Attr("type"), x.Lang(), x.Attr("name")})
		case x.Is(NSInfo, "feature"):
			i.Features = append(i.Features, x.Attr("var"))
		case x.Is(form.NS, "x"):
			f, err := form.Parse(x)
			if err != nil || f.FormType() != "" && types[f.FormType()] { // XEP-0115 §5.4 rule 3.5
				return i, false
			}
			types[f.FormType()] = true
			i.Forms = append(i.Forms, f)
		}
	}
	unique := slices.Clone(i.Features)
	slices.Sort(unique)
	return i, len(slices.Compact(unique)) == len(i.Features) && !hasTwice(i.Identities) // XEP-0115 §5.4 rules 3.3, 3.4
}

func hasTwice(list []Identity) bool {
	list = slices.SortedFunc(slices.Values(list), Identity.compare)
	return len(slices.Compact(list)) != len(list)
}

// caps2String is the input of the hash function (XEP-0390 §4.1).
func (i Info) caps2String() string {
	const unit, record, group, file = "\x1f", "\x1e", "\x1d", "\x1c"
	joined := func(list []string) string {
		slices.Sort(list)
		return strings.Join(list, "")
	}
	var all, list []string
	for _, f := range i.Features {
		list = append(list, f+unit)
	}
	all = append(all, joined(list)+file)
	list = nil
	for _, d := range i.Identities {
		list = append(list, d.Category+unit+d.Type+unit+d.Lang+unit+d.Name+unit+record)
	}
	all = append(all, joined(list)+file)
	list = nil
	for _, f := range i.Forms {
		var fields []string
		for _, fd := range f.Fields {
			var values []string
			for _, v := range fd.Values {
				values = append(values, v+unit)
			}
			fields = append(fields, fd.Var+unit+joined(values)+record)
		}
		list = append(list, joined(fields)+group)
	}
	return strings.Join(append(all, joined(list)+file), "")
}
