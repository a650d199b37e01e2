package version

import (
	"strconv"
	"strings"
)

// Version is a version of XMPP.
type Version struct{ Major, Minor int }

// ours is the version that RFC 6120 specifies.
var ours = Version{1, 0}

// Parse returns a version as numbers; 0.9 if text is empty, false if it is malformed.
func Parse(text string) (Version, bool) {
	if text == "" {
		return Version{0, 9}, true // RFC 6120 §4.7.5 rule 4
	}
	major, minor, ok := strings.Cut(text, ".")
	var v Version
	var okMajor, okMinor bool
	v.Major, okMajor = number(major)
	v.Minor, okMinor = number(minor)
	return v, ok && okMajor && okMinor
}

func number(s string) (int, bool) {
	if s == "" || len(s) > 9 {
		return 0, false
	}
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
	}
	n, err := strconv.Atoi(s) // ignores leading zeros (RFC 6120 §4.7.5)
	return n, err == nil
}

// Less reports whether v is lower than o; both parts are compared as numbers.
func (v Version) Less(o Version) bool {
	return v.Major < o.Major || v.Major == o.Major && v.Minor < o.Minor
}

func (v Version) String() string { return strconv.Itoa(v.Major) + "." + strconv.Itoa(v.Minor) }

// Answer returns the version with which to answer one that a peer has sent: the lower of both, and "" if it has sent none. It returns
// false if there is no common major version.
func Answer(received string) (string, bool) {
	v, ok := Parse(received)
	switch {
	case !ok:
		return ours.String(), false
	case received == "":
		return "", false
	case v.Less(ours):
		return v.String(), false
	}
	return ours.String(), true
}
