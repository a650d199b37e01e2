package paging

import "github.com/dragoman-im/dragoman/core/stanza"

// List returns the requested page of items, which are in the order of the set. id returns an item's unique
// id. An unknown id in the request is item-not-found (XEP-0059 §2.4).
func List[T any](items []T, id func(T) string, r Request) ([]T, Answer, error) {
	find := func(want string, after bool) (int, error) {
		for i := range items {
			if id(items[i]) == want {
				if after {
					return i + 1, nil
				}
				return i, nil
			}
		}
		return 0, stanza.ItemNotFound("The item to go on from is not there any longer.")
	}
	from, to := 0, len(items)
	none := Answer{Index: Unknown, Count: len(items)}
	var err error
	if r.After != "" {
		if from, err = find(r.After, true); err != nil {
			return nil, none, err
		}
	}
	if r.Before != "" {
		if to, err = find(r.Before, false); err != nil {
			return nil, none, err
		}
	}
	if r.Index >= 0 { // XEP-0059 §2.6
		from = max(from, min(r.Index, len(items)))
	}
	if from >= to || r.Max == 0 {
		return nil, none, nil
	}
	if n := to - from; r.Max >= 0 && n > r.Max {
		if r.Backwards() {
			from = to - r.Max
		} else {
			to = from + r.Max
		}
	}
	cut := items[from:to]
	return cut, Answer{First: id(cut[0]), Last: id(cut[len(cut)-1]), Index: from, Count: len(items)}, nil
}
