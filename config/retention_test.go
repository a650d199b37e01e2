package config

import (
	"strings"
	"testing"
	"time"
)

func TestRetention(t *testing.T) {
	t.Parallel()
	const head = "[server]\nhosts = [\"a.example\", \"b.example\"]\n[[retention]]\n"
	for text, want := range map[string]string{
		"host = \"b.example\"\narchive = \"720h\"":                                      "",
		"host = \"c.example\"\narchive = \"720h\"":                                      "retention[0].host",
		"archive = \"720h\"":                                                            "retention[0].host",
		"host = \"b.example\"\narchive = \"-1h\"":                                       "retention[0].archive",
		"host = \"b.example\"\n[[retention]]\nhost = \"b.example\"\narchive = \"720h\"": "retention[1].host",
	} {
		c, err := Parse([]byte(head+text), "", nil)
		if want == "" && err == nil && time.Duration(c.Retention[0].Archive) == 720*time.Hour {
			continue
		}
		if err == nil || want == "" || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
