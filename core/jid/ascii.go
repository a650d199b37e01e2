package jid

import (
	"fmt"
	"net/netip"
	"strings"
)

// class is in which parts an ASCII byte is allowed and stays unchanged.
const (
	inLocal = 1 << iota
	inDomain
	inResource
)

var class = func() (t [256]byte) {
	for c := byte('!'); c <= '~'; c++ {
		t[c] |= inResource | inLocal
	}
	t[' '] |= inResource
	for c := byte('A'); c <= 'Z'; c++ {
		t[c] &^= inLocal // folded by UsernameCaseMapped
	}
	for _, c := range []byte(`"&'/:<>@`) { // RFC 7622 §3.3.1
		t[c] &^= inLocal
	}
	for c := byte('a'); c <= 'z'; c++ {
		t[c] |= inDomain
	}
	for c := byte('0'); c <= '9'; c++ {
		t[c] |= inDomain
	}
	t['-'] |= inDomain
	t['.'] |= inDomain
	return t
}()

// parseASCII accepts an address that is ASCII and canonical already. For any other it returns
// false, and normalise applies the PRECIS and IDNA profiles. It does not allocate.
func parseASCII(s string) (JID, bool) {
	local, i := 0, 0
	for i < len(s) && class[s[i]]&inLocal != 0 {
		i++
	}
	start := 0
	if i < len(s) && s[i] == '@' {
		if i == 0 || i > MaxPart {
			return JID{}, false
		}
		local, start = i, i+1
	}
	end := start
	for end < len(s) && class[s[end]]&inDomain != 0 {
		end++
	}
	if !canonicalDomain(s[start:end]) {
		return JID{}, false
	}
	if end == len(s) {
		return JID{s: s, local: uint16(local), bare: uint16(end)}, true
	}
	if s[end] != '/' || end+1 == len(s) || len(s)-end-1 > MaxPart {
		return JID{}, false
	}
	for k := end + 1; k < len(s); k++ {
		if class[s[k]]&inResource == 0 {
			return JID{}, false
		}
	}
	return JID{s: s, local: uint16(local), bare: uint16(end)}, true
}

// canonicalDomain reports whether parseASCII may accept a host name unchanged:
// letters, digits and inner hyphens, no A-label (those go through IDNA), not all digits and dots.
func canonicalDomain(d string) bool {
	if len(d) == 0 || len(d) > 253 {
		return false
	}
	letter := false
	for len(d) > 0 {
		label := d
		if dot := strings.IndexByte(d, '.'); dot >= 0 {
			label, d = d[:dot], d[dot+1:]
			if d == "" {
				return false
			}
		} else {
			d = ""
		}
		if len(label) == 0 || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		if len(label) > 3 && label[2] == '-' && label[3] == '-' {
			return false
		}
		for i := 0; i < len(label) && !letter; i++ {
			letter = label[i] >= 'a' && label[i] <= 'z'
		}
	}
	return letter
}

// checkLocal refuses the characters that RFC 7622 §3.3.1 excludes in addition to those of the PRECIS profile.
func checkLocal(local string) error {
	if len(local) > MaxPart {
		return fmt.Errorf("%w: localpart too long", ErrMalformed)
	}
	if strings.ContainsAny(local, "\"&'/:<>@ ") {
		return fmt.Errorf("%w: character not allowed in a localpart", ErrMalformed)
	}
	return nil
}

// checkDomain accepts an IP literal or dot-separated labels (RFC 7622 §3.2).
func checkDomain(domain string) error {
	if domain == "" || len(domain) > MaxPart {
		return fmt.Errorf("%w: domainpart of %d bytes", ErrMalformed, len(domain))
	}
	if inner, ok := strings.CutPrefix(domain, "["); ok {
		inner, ok = strings.CutSuffix(inner, "]")
		addr, err := netip.ParseAddr(inner)
		if !ok || err != nil || !addr.Is6() || addr.Zone() != "" {
			return fmt.Errorf("%w: not an IPv6 literal", ErrMalformed)
		}
		return nil
	}
	for label := range strings.SplitSeq(domain, ".") {
		if label == "" {
			return fmt.Errorf("%w: empty label in the domainpart", ErrMalformed)
		}
		for i := 0; i < len(label); i++ {
			c := label[i]
			if c < 0x80 && class[c|0x20]&inDomain == 0 || c < '-' {
				return fmt.Errorf("%w: character %q in the domainpart", ErrMalformed, c)
			}
		}
		if len(label) > 63*4 || label[0] == '-' || label[len(label)-1] == '-' {
			return fmt.Errorf("%w: label of the domainpart is too long, or begins or ends with a hyphen", ErrMalformed)
		}
	}
	return nil
}
