package structure

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"testing"
)

// exceptions are what exceptions.txt allows for one rule, and which of it was needed.
type exceptions struct {
	rule   string
	needed map[string]bool
}

// readExceptions reads the exceptions of one rule from exceptions.txt: lines "rule: subject # reason".
func readExceptions(t *testing.T, rule string) *exceptions {
	t.Helper()
	f, err := os.Open("exceptions.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	e := &exceptions{rule: rule, needed: map[string]bool{}}
	number := 0
	for in := bufio.NewScanner(f); in.Scan(); {
		number++
		line := strings.TrimSpace(in.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		entry, reason, _ := strings.Cut(line, "#")
		of, subject, ok := strings.Cut(entry, ":")
		if !ok || strings.TrimSpace(reason) == "" {
			t.Errorf("exceptions.txt:%d: want \"rule: subject # reason\"", number)
		}
		if of == rule {
			e.needed[strings.TrimSpace(subject)] = false
		}
	}
	return e
}

// check reports a breach of the rule, unless it is excepted.
func (e *exceptions) check(t *testing.T, subject, format string, args ...any) {
	t.Helper()
	if _, ok := e.needed[subject]; ok {
		e.needed[subject] = true
		return
	}
	t.Errorf("%s: %s (exception would be \"%s: %s\")", subject, fmt.Sprintf(format, args...), e.rule, subject)
}

// done reports the exceptions that are not needed any more.
func (e *exceptions) done(t *testing.T) {
	t.Helper()
	for subject, needed := range e.needed {
		if !needed {
			t.Errorf("exceptions.txt: \"%s: %s\" is not needed any more: remove it", e.rule, subject)
		}
	}
}
