package lenientjson

import (
	"regexp"
	"strings"
	"sync"
)

// maxOnce is how many different sets of paths are told apart.
const maxOnce = 100

// Once tells values that were left out for the first time from those that were before: one network that has changed one value
// sends it with every message. The zero Once is ready for use.
type Once struct {
	mu   sync.Mutex
	seen map[string]bool
}

var index = regexp.MustCompile(`\[\d+\]`)

// First reports whether values of these paths, below an object of a kind, were never left out before. The place in a list
// makes no difference. After a hundred different ones it reports false.
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
