package jid

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// CVE-2015-2058: an address that is too long is refused. It is never truncated, neither at the maximum
// length nor within a character.
func TestCVE_2015_2058_NeverTruncated(t *testing.T) {
	t.Parallel()
	for _, unit := range []string{"x", "é", "日", "😀"} {
		for size := 1018; size <= 1028; size++ {
			part := strings.Repeat(unit, size/len(unit)) + strings.Repeat("x", size%len(unit))
			for where, address := range map[string]string{
				"localpart": part + "@example.org", "resourcepart": "a@example.org/" + part, "domainpart": "a@" + part,
			} {
				j, err := Parse(address)
				switch {
				case err == nil && (size > MaxPart || where == "domainpart"):
					t.Errorf("%s of %d bytes of %q: accepted", where, size, unit)
				case err == nil && (!utf8.ValidString(j.String()) || len(j.String()) != len(address)):
					t.Errorf("%s of %d bytes of %q: truncated to %d", where, size, unit, len(j.String()))
				case err != nil && size <= MaxPart && unit == "é" && where != "domainpart":
					t.Errorf("%s of %d bytes: %v", where, size, err)
				}
			}
		}
	}
	longest := strings.Repeat("x", MaxPart)
	if _, err := Parse(longest + "@" + strings.Repeat("y", 60) + ".org/" + longest); err != nil {
		t.Error(err)
	}
	if _, err := Parse(longest + "@" + longest + "/" + longest + "z"); err == nil {
		t.Error("3072 bytes accepted")
	}
}

// CVE-2015-2059: text that is not UTF-8 is refused before any character table is consulted.
func TestCVE_2015_2059_InvalidUTF8(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"\xff", "\xc3", "\xe2\x82", "\xf0\x9f\x98", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\x80"} {
		for _, address := range []string{bad + "@example.org", "a" + bad + "@example.org", "a@example" + bad + ".org", "a@example.org/" + bad, "a@example.org/x" + bad, bad} {
			if j, err := Parse(address); err == nil {
				t.Errorf("Parse(%q) = %q, want an error", address, j)
			}
			if _, err := New("a", "example.org", address); err == nil {
				t.Errorf("New accepts the resourcepart %q", address)
			}
		}
		if _, err := MustParse("a@example.org").WithResource("x" + bad); err == nil {
			t.Errorf("WithResource accepts %q", "x"+bad)
		}
	}
}
