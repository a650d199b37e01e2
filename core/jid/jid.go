package jid

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	melliumjid "mellium.im/xmpp/jid"
)

// MaxPart is the longest localpart, domainpart or resourcepart in bytes.
const MaxPart = 1023 // RFC 7622 §3.1

// MaxLen is the longest address in bytes, both separators included.
const MaxLen = 3*MaxPart + 2

// ErrMalformed is wrapped by every error of Parse and New.
var ErrMalformed = errors.New("malformed address")

// JID is a normalised address. The zero value is "no address".
type JID struct {
	s     string
	local uint16 // length of the localpart; 0 where there is none
	bare  uint16 // length of the bare address
}

// Parse reads and normalises an address.
func Parse(s string) (JID, error) {
	if len(s) == 0 || len(s) > MaxLen {
		return JID{}, fmt.Errorf("%w: %d bytes", ErrMalformed, len(s))
	}
	if j, ok := parseASCII(s); ok {
		return j, nil
	}
	local, domain, resource, err := split(s)
	if err != nil {
		return JID{}, err
	}
	return New(local, domain, resource)
}

// MustParse is Parse for constants and tests; it panics if s is malformed.
func MustParse(s string) JID {
	j, err := Parse(s)
	if err != nil {
		panic(err)
	}
	return j
}

// New joins the parts of an address and normalises each; local and resource may be empty.
func New(local, domain, resource string) (JID, error) {
	if len(local)+len(domain)+len(resource) <= MaxLen {
		j := join(local, domain, resource)
		if as, ok := parseASCII(j.s); ok && as == j { // and so it has the same parts
			return j, nil
		}
	}
	return normalise(local, domain, resource)
}

func normalise(local, domain, resource string) (JID, error) {
	if len(local) > MaxPart || len(domain) > MaxPart || len(resource) > MaxPart {
		return JID{}, fmt.Errorf("%w: part longer than %d bytes", ErrMalformed, MaxPart)
	}
	if !utf8.ValidString(local) || !utf8.ValidString(domain) || !utf8.ValidString(resource) {
		return JID{}, fmt.Errorf("%w: not UTF-8", ErrMalformed)
	}
	domain = strings.TrimSuffix(domain, ".") // RFC 7622 §3.2
	if err := checkDomain(domain); err != nil {
		return JID{}, err
	}
	m, err := melliumjid.New(local, domain, resource)
	if err != nil {
		return JID{}, fmt.Errorf("%w: %v", ErrMalformed, err)
	}
	// The profiles are not idempotent for every input; only a fixed point is an address.
	again, err := melliumjid.New(m.Localpart(), m.Domainpart(), m.Resourcepart())
	if err != nil || !again.Equal(m) {
		return JID{}, fmt.Errorf("%w: not stable under normalisation", ErrMalformed)
	}
	if err := checkLocal(m.Localpart()); err != nil {
		return JID{}, err
	}
	if err := checkDomain(m.Domainpart()); err != nil {
		return JID{}, err
	}
	if len(m.Resourcepart()) > MaxPart {
		return JID{}, fmt.Errorf("%w: resourcepart too long", ErrMalformed)
	}
	if (local != "" && m.Localpart() == "") || (resource != "" && m.Resourcepart() == "") {
		return JID{}, fmt.Errorf("%w: empty part", ErrMalformed)
	}
	return join(m.Localpart(), m.Domainpart(), m.Resourcepart()), nil
}

// String returns the canonical text; "" for the zero value.
func (j JID) String() string { return j.s }

// Local returns the localpart, "" where there is none.
func (j JID) Local() string { return j.s[:j.local] }

// Domain returns the domainpart.
func (j JID) Domain() string {
	if j.local == 0 {
		return j.s[:j.bare]
	}
	return j.s[j.local+1 : j.bare]
}

// Resource returns the resourcepart, "" for a bare address.
func (j JID) Resource() string {
	if int(j.bare) >= len(j.s) {
		return ""
	}
	return j.s[j.bare+1:]
}

// Bare returns the address without its resourcepart; it does not allocate.
func (j JID) Bare() JID { return JID{s: j.s[:j.bare], local: j.local, bare: j.bare} }

// Host returns the domainpart as an address of its own.
func (j JID) Host() JID {
	d := j.Domain()
	return JID{s: d, bare: uint16(len(d))}
}

// WithResource returns the bare address with another resourcepart.
func (j JID) WithResource(resource string) (JID, error) {
	if resource == "" {
		return j.Bare(), nil
	}
	if full, ok := parseASCII(j.s[:j.bare] + "/" + resource); ok {
		return full, nil
	}
	r, err := New("", "x", resource)
	if err != nil {
		return JID{}, err
	}
	return join(j.Local(), j.Domain(), r.Resource()), nil
}

// IsZero reports whether j is the zero value, "no address".
func (j JID) IsZero() bool { return j.s == "" }

// IsBare reports whether j has no resourcepart.
func (j JID) IsBare() bool { return int(j.bare) == len(j.s) }

// IsFull reports whether j has a resourcepart.
func (j JID) IsFull() bool { return int(j.bare) < len(j.s) }

// IsHost reports whether j has neither localpart nor resourcepart.
func (j JID) IsHost() bool { return j.local == 0 && j.IsBare() && j.s != "" }

// MarshalText is String as bytes.
func (j JID) MarshalText() ([]byte, error) { return []byte(j.s), nil }

// UnmarshalText is Parse; an empty text is the zero value.
func (j *JID) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*j = JID{}
		return nil
	}
	p, err := Parse(string(text))
	if err == nil {
		*j = p
	}
	return err
}

func join(local, domain, resource string) JID {
	s := domain
	if local != "" {
		s = local + "@" + domain
	}
	bare := len(s)
	if resource != "" {
		s += "/" + resource
	}
	return JID{s: s, local: uint16(len(local)), bare: uint16(bare)}
}

// split divides an address at the first '/', then the part before it at the first '@' (RFC 7622 §3.1).
func split(s string) (local, domain, resource string, err error) {
	rest, resource, slash := strings.Cut(s, "/")
	if slash && resource == "" {
		return "", "", "", fmt.Errorf("%w: empty resourcepart", ErrMalformed)
	}
	before, after, at := strings.Cut(rest, "@")
	if !at {
		return "", rest, resource, nil
	}
	if before == "" {
		return "", "", "", fmt.Errorf("%w: empty localpart", ErrMalformed)
	}
	return before, after, resource, nil
}
