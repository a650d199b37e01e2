package transfer

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/bits"
	"strconv"
	"strings"

	"github.com/dragoman-im/dragoman/core/store"
)

// each calls fn for the rows of a query, with values of the types that store.Insert takes. Their memory is
// used for one row only.
func (t *table) each(ctx context.Context, q querier, behind []any, fn func(row []any) error) error {
	rows, err := q.QueryContext(ctx, t.query(behind != nil), behind...)
	if err != nil {
		return fmt.Errorf("read %s: %w", t.name, err)
	}
	defer rows.Close()
	values, targets := make([]any, len(t.columns)), make([]any, len(t.columns))
	for i := range values {
		targets[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(targets...); err != nil {
			return fmt.Errorf("read %s: %w", t.name, err)
		}
		for i, c := range t.columns {
			if values[i], err = normal(values[i], c.Type); err != nil {
				return fmt.Errorf("read %s.%s: %w", t.name, c.Name, err)
			}
		}
		if err := fn(values); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read %s: %w", t.name, err)
	}
	return nil
}

// textOnly makes a text one that PostgreSQL takes: valid UTF-8 without zero bytes. Earlier releases wrote
// a zero byte between two parts of bridge_contacts.pushed, where \x1f stands now.
func textOnly(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\x1f")
}

// normal gives a value the Go type of its column. SQLite returns what was written: text in a BLOB column is text.
func normal(value any, t store.ColumnType) (any, error) {
	if value == nil {
		return nil, nil
	}
	switch t {
	case store.Text:
		switch v := value.(type) {
		case string:
			return textOnly(v), nil
		case []byte:
			return textOnly(string(v)), nil
		}
	case store.Bytes:
		switch v := value.(type) {
		case string:
			return []byte(v), nil
		case []byte:
			return v, nil
		}
	case store.BigInt:
		if v, ok := value.(int64); ok {
			return v, nil
		}
	case store.Bool:
		switch v := value.(type) {
		case bool:
			return v, nil
		case int64:
			return v != 0, nil
		}
	}
	return nil, fmt.Errorf("a value of Go type %T in a column of type %s", value, t)
}

// size is about how much memory a row takes.
func size(row []any) int {
	n := 64
	for _, v := range row {
		switch v := v.(type) {
		case string:
			n += len(v)
		case []byte:
			n += len(v)
		}
	}
	return n
}

// digest is the sum of the hashes of all rows, which does not depend on their order: SQLite sorts text before
// bytes in one column.
type digest struct {
	total [4]uint64
	buf   []byte
	rows  int64
}

func (d *digest) add(row []any) {
	d.rows++
	d.buf = d.buf[:0]
	for _, v := range row {
		switch v := v.(type) {
		case nil:
			d.buf = append(d.buf, 'n')
		case string:
			d.buf = binary.AppendUvarint(append(d.buf, 's'), uint64(len(v)))
			d.buf = append(d.buf, v...)
		case []byte:
			d.buf = binary.AppendUvarint(append(d.buf, 'b'), uint64(len(v)))
			d.buf = append(d.buf, v...)
		case int64:
			d.buf = binary.AppendVarint(append(d.buf, 'i'), v)
		case bool:
			d.buf = strconv.AppendBool(d.buf, v)
		}
	}
	sum := sha256.Sum256(d.buf)
	carry := uint64(0)
	for i := range d.total {
		d.total[i], carry = bits.Add64(d.total[i], binary.LittleEndian.Uint64(sum[8*i:]), carry)
	}
}

func (d *digest) sum() string { return fmt.Sprintf("%016x", d.total) }

// encodeKey writes the key of a row as text.
func (t *table) encodeKey(row []any) string {
	texts := make([]string, len(t.key))
	for i, k := range t.key {
		switch v := row[k].(type) {
		case []byte:
			texts[i] = hex.EncodeToString(v)
		default:
			texts[i] = fmt.Sprint(v)
		}
	}
	text, _ := json.Marshal(texts) // of strings: never fails
	return string(text)
}

// decodeKey is the reverse of encodeKey; nil for "".
func (t *table) decodeKey(text string) ([]any, error) {
	if text == "" {
		return nil, nil
	}
	var texts []string
	if err := json.Unmarshal([]byte(text), &texts); err != nil || len(texts) != len(t.key) {
		return nil, fmt.Errorf("store_copy has an unreadable key of %s: %q", t.name, text)
	}
	key := make([]any, len(t.key))
	for i, k := range t.key {
		var err error
		switch t.columns[k].Type {
		case store.Text:
			key[i] = texts[i]
		case store.BigInt:
			key[i], err = strconv.ParseInt(texts[i], 10, 64)
		case store.Bool:
			key[i], err = strconv.ParseBool(texts[i])
		case store.Bytes:
			key[i], err = hex.DecodeString(texts[i])
		}
		if err != nil {
			return nil, fmt.Errorf("store_copy has an unreadable key of %s: %q", t.name, text)
		}
	}
	return key, nil
}

// count is the number of rows of a table.
func count(ctx context.Context, q querier, name string) (n int64, err error) {
	rows, err := q.QueryContext(ctx, "SELECT count(*) FROM "+name)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(&n); err != nil {
			return 0, err
		}
	}
	return n, rows.Err()
}

var _ querier = (*sql.Tx)(nil)
