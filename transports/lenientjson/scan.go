package lenientjson

import (
	"encoding/json"
	"math"
	"reflect"
	"strconv"
	"strings"
	"sync"
)

// space passes over white space.
func (d *decoder) space() {
	for d.off < len(d.data) {
		switch d.data[d.off] {
		case ' ', '\t', '\r', '\n':
			d.off++
		default:
			return
		}
	}
}

// raw passes over the next value and returns its text.
func (d *decoder) raw() []byte {
	d.space()
	begin := d.off
	depth := 0
	for d.off < len(d.data) {
		switch c := d.data[d.off]; c {
		case '"':
			d.literal()
		case '{', '[':
			depth++
			d.off++
		case '}', ']':
			depth--
			d.off++
		case ',', ':', ' ', '\t', '\r', '\n':
			d.off++
			continue
		default:
			d.literal()
		}
		if depth == 0 {
			return d.data[begin:d.off]
		}
	}
	return d.data[begin:d.off]
}

// literal passes over a string, a number or a word.
func (d *decoder) literal() []byte {
	begin := d.off
	if d.data[d.off] == '"' {
		for d.off++; d.data[d.off] != '"'; d.off++ {
			if d.data[d.off] == '\\' {
				d.off++
			}
		}
		d.off++
		return d.data[begin:d.off]
	}
	for d.off < len(d.data) && !strings.ContainsRune(",:]} \t\r\n", rune(d.data[d.off])) {
		d.off++
	}
	return d.data[begin:d.off]
}

// members calls do at the value of each member of an object.
func (d *decoder) members(do func(name string)) {
	d.off++
	for d.space(); d.data[d.off] != '}'; d.space() {
		if d.data[d.off] == ',' {
			d.off++
			continue
		}
		name := unquote(d.literal())
		d.space()
		d.off++ // the colon
		d.space()
		do(name)
	}
	d.off++
}

// elements calls do at each element of a list.
func (d *decoder) elements(do func()) {
	d.off++
	for d.space(); d.data[d.off] != ']'; d.space() {
		if d.data[d.off] == ',' {
			d.off++
			continue
		}
		do()
	}
	d.off++
}

func unquote(literal []byte) string {
	plain := true
	for _, c := range literal {
		if c == '\\' || c >= 0x80 { // invalid UTF-8 is replaced
			plain = false
			break
		}
	}
	if plain {
		return string(literal[1 : len(literal)-1])
	}
	var s string
	_ = json.Unmarshal(literal, &s) // it was checked
	return s
}

// text passes over the next value and returns it where it is a string or a number.
func (d *decoder) text() (text string, ok bool) {
	d.space()
	switch c := d.data[d.off]; {
	case c == '"':
		return unquote(d.literal()), true
	case c == '-' || c >= '0' && c <= '9':
		return string(d.literal()), true
	}
	d.raw()
	return "", false
}

// scalar reads a string, a number or a truth value.
func (d *decoder) scalar(v reflect.Value) bool {
	if v.Kind() == reflect.Bool {
		word := strings.Trim(string(d.raw()), `"`)
		if word == "true" || word == "false" {
			v.SetBool(word == "true")
			return true
		}
		d.note()
		return false
	}
	text, ok := d.text()
	if ok {
		ok = set(v, text)
	}
	if !ok {
		d.note()
	}
	return ok
}

// set gives v the value of a text; it reports whether that is possible.
func set(v reflect.Value, text string) bool {
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
		return true
	case reflect.Float64, reflect.Float32:
		f, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
			return false
		}
		v.SetFloat(f)
		return true
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil { // 3.0, 1e3
			f, ferr := strconv.ParseFloat(text, 64)
			if n = int64(f); ferr != nil || math.Abs(f) > 1<<53 || float64(n) != f {
				return false
			}
		}
		if v.OverflowInt(n) {
			return false
		}
		v.SetInt(n)
		return true
	}
	return false
}

var fieldCache sync.Map // of reflect.Type: map[string][]int

// fieldsOf are the fields of a struct by their names in JSON, those of embedded structs among them. The name is the
// tag's: a field without one is not read.
func fieldsOf(t reflect.Type) map[string][]int {
	if cached, ok := fieldCache.Load(t); ok {
		return cached.(map[string][]int)
	}
	fields := map[string][]int{}
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name != "" && name != "-" && f.IsExported() && fields[name] == nil {
			fields[name] = f.Index
		}
	}
	fieldCache.Store(t, fields)
	return fields
}
