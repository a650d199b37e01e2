package postgres

import (
	"strconv"
	"strings"
	"sync"
)

// maxRewritten bounds the memory for statements that were rewritten. There are a few hundred, and
// those that are put together for one query.
const maxRewritten = 4096

// rewriter keeps statements in PostgreSQL's form: see Rewrite.
type rewriter struct {
	mu     sync.RWMutex
	byText map[string]string
}

func newRewriter() *rewriter { return &rewriter{byText: map[string]string{}} }

func (r *rewriter) rewrite(query string) string {
	r.mu.RLock()
	text, ok := r.byText[query]
	r.mu.RUnlock()
	if ok {
		return text
	}
	text = Rewrite(query)
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.byText) >= maxRewritten {
		clear(r.byText)
	}
	r.byText[query] = text
	return text
}

const pgComment = "/*postgres "

// Rewrite makes $1 of ? and ?1, outside of quotes and comments, and takes what is in
// /*postgres ...*/ out of the comment.
func Rewrite(query string) string {
	var b strings.Builder
	n := 0
	for i := 0; i < len(query); {
		rest := query[i:]
		switch c := query[i]; {
		case c == '\'' || c == '"':
			end := strings.IndexByte(rest[1:], c)
			if end < 0 {
				b.WriteString(rest)
				return b.String()
			}
			b.WriteString(rest[:end+2])
			i += end + 2
		case strings.HasPrefix(rest, pgComment):
			end := strings.Index(rest, "*/")
			if end < 0 {
				b.WriteString(rest)
				return b.String()
			}
			b.WriteString(Rewrite(rest[len(pgComment):end]))
			i += end + len("*/")
		case strings.HasPrefix(rest, "--"):
			end := strings.IndexByte(rest+"\n", '\n')
			b.WriteString(rest[:end])
			i += end
		case c == '?':
			digits := 1
			for digits < len(rest) && rest[digits] >= '0' && rest[digits] <= '9' {
				digits++
			}
			b.WriteByte('$')
			if digits > 1 {
				b.WriteString(rest[1:digits])
			} else {
				n++
				b.WriteString(strconv.Itoa(n))
			}
			i += digits
		default:
			b.WriteByte(c)
			i++
		}
	}
	return b.String()
}
