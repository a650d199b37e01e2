package disco

import (
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"hash"
	"slices"
	"strings"

	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// NSCaps is the namespace of entity capabilities.
const NSCaps = "http://jabber.org/protocol/caps"

// Caps is the capabilities element of a presence (XEP-0115 §4).
type Caps struct {
	Node string // URI of the software
	Hash string // sha-1, sha-256 …
	Ver  string // the verification string
}

// Element returns the capabilities as XML.
func (c Caps) Element() *stanza.Element {
	return stanza.NewElement(NSCaps, "c").With("hash", c.Hash).With("node", c.Node).With("ver", c.Ver)
}

// InfoNode returns the node of the disco#info query for these capabilities (XEP-0115 §6.2).
func (c Caps) InfoNode() string { return c.Node + "#" + c.Ver }

// Caps returns the capabilities of an entity with this information.
func (i Info) Caps(node string) Caps {
	ver, _ := i.Ver("sha-1") // the mandatory hash (XEP-0115 §8.1)
	return Caps{Node: node, Hash: "sha-1", Ver: ver}
}

var hashes = map[string]func() hash.Hash{
	"sha-1": sha1.New, "sha-224": sha256.New224, "sha-256": sha256.New, "sha-384": sha512.New384, "sha-512": sha512.New,
}

// Ver returns the verification string with a hash of IANA's registry (XEP-0115 §5.1).
func (i Info) Ver(algorithm string) (string, error) {
	h := hashes[algorithm]
	if h == nil {
		return "", fmt.Errorf("hash %q is not supported", algorithm)
	}
	sum := h()
	sum.Write([]byte(i.verString()))
	return base64.StdEncoding.EncodeToString(sum.Sum(nil)), nil
}

func (i Info) verString() string {
	var b strings.Builder
	add := func(s string) { b.WriteString(s); b.WriteByte('<') }
	for _, d := range slices.SortedFunc(slices.Values(i.Identities), Identity.compare) {
		add(d.Category + "/" + d.Type + "/" + d.Lang + "/" + d.Name)
	}
	for _, f := range slices.Sorted(slices.Values(i.Features)) {
		add(f)
	}
	forms := slices.Clone(i.Forms)
	forms = slices.DeleteFunc(forms, func(f *form.Form) bool { return f.FormType() == "" }) // XEP-0115 §5.4
	slices.SortStableFunc(forms, func(a, b *form.Form) int { return strings.Compare(a.FormType(), b.FormType()) })
	for _, f := range forms {
		add(f.FormType())
		fields := slices.Clone(f.Fields)
		slices.SortStableFunc(fields, func(a, b form.Field) int { return strings.Compare(a.Var, b.Var) })
		for _, fd := range fields {
			if fd.Var == form.TypeVar {
				continue
			}
			add(fd.Var)
			for _, v := range slices.Sorted(slices.Values(fd.Values)) {
				add(v)
			}
		}
	}
	return b.String()
}
