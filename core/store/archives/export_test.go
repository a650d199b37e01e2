package archives

import "github.com/dragoman-im/dragoman/core/jid"

// PageStatement is how a page is read.
func PageStatement(with jid.JID, backwards bool) (text string, args []any) {
	q := query{of: &accountState{number: 1}, with: with, to: maxPosition, backwards: backwards}
	return q.page(50)
}

// FindTextStatement is how an id is found that the server has not made.
const FindTextStatement = findByTextSQL
