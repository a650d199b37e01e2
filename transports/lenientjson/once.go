package lenientjson

import (
	"regexp"
	"strings"
	"sync"
)

// maxOnce is how many different sets of paths are remembered.
const maxOnce = 100

// Once recognises paths that were reported before, so that they are logged once: a network that has changed the type of a value
// sends it with every message. The zero Once is ready for use.
type Once struct {
	mu   sync.Mutex
	seen map[string]bool
}

var index = regexp.MustCompile(`\[\d+\]`)

// First reports whether these paths, below an object of a kind, are passed to it for the first time. Indexes of lists make
// no difference. After maxOnce different sets of paths it reports false.
func (o *Once) First(kind string, paths []string) bool {
	key := kind + " " + index.ReplaceAllString(strings.Join(paths, " "), "[]")
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.seen[key] || len(o.seen) >= maxOnce {
		return false
	}
	if o.seen == nil {
		o.seen = map[string]bool{}
	}
	o.seen[key] = true
	return true
}
