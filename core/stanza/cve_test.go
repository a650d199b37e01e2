package stanza

import (
	"strings"
	"testing"
)

// CVE-2022-30633 and CVE-2022-28131: deep nesting does not exhaust the stack.
func TestCVE_2022_30633_DeepTree(t *testing.T) {
	t.Parallel()
	for _, n := range []int{maxDepth + 1, 1_000_000} {
		if _, err := ParseElement(strings.Repeat("<a>", n)+strings.Repeat("</a>", n), ""); err == nil {
			t.Errorf("depth %d accepted", n)
		}
		if _, err := ParseElement(strings.Repeat("<a>", n), ""); err == nil {
			t.Errorf("depth %d without an end accepted", n)
		}
	}
	deep := strings.Repeat("<a>", maxDepth-1) + strings.Repeat("</a>", maxDepth-1)
	e, err := ParseElement(deep, "")
	if err != nil {
		t.Fatal(err)
	}
	if e.Clone().String() == "" || e.Text() != "" {
		t.Error("lost")
	}
}
