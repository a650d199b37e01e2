package main

import (
	"encoding/json"
	"strings"
	"testing"
)

// Each rare word is in as many messages as is said, each common one in about as many, and the absent one in none.
func TestMessages(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	if err := writeMessages(&out, "archive0@bench.example", minMessages); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != minMessages+1 {
		t.Fatalf("%d lines", len(lines))
	}
	count := map[string]int{}
	var last archivedLine
	for _, text := range lines[1:] {
		var line archivedLine
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatal(err)
		}
		if line.Account != "archive0@bench.example" || line.Kind != "archived" || last.Message != nil && !line.Message.At.After(last.Message.At) {
			t.Fatalf("%s after %+v", text, last.Message)
		}
		last = line
		_, body, _ := strings.Cut(line.XML, "<body>")
		body, _, _ = strings.Cut(body, "</body>")
		for word := range strings.FieldsSeq(body) {
			count[word]++
		}
	}
	for i := range searchedWords {
		if n := count[rareWord(i)]; n != rareMessages {
			t.Errorf("%s is in %d messages", rareWord(i), n)
		}
		if n, about := count[commonWord(i)], minMessages/commonShare; n < about/2 || n > about*2 {
			t.Errorf("%s is in %d messages, not about %d", commonWord(i), n, about)
		}
	}
	if count[absentWord] > 0 {
		t.Errorf("%s is in %d messages", absentWord, count[absentWord])
	}
}
