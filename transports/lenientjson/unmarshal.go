package lenientjson

import (
	"encoding/json"
	"errors"
	"reflect"
	"strconv"
	"time"
)

// maxDepth bounds how deep values are read. encoding/json allows 10,000 levels, which would be recursed into for recursive types.
const maxDepth = 64

// maxSkipped is how many paths are reported.
const maxSkipped = 8

var errSyntax = errors.New("not JSON")

// Unmarshal decodes data into v, a pointer. It returns the paths of the values that were left out, the first few, such as
// "event.blocks[0].style". The error is for data that is no JSON; v is unchanged then.
func Unmarshal(data []byte, v any) (skipped []string, err error) {
	target := reflect.ValueOf(v)
	if target.Kind() != reflect.Pointer || target.IsNil() {
		return nil, errors.New("lenientjson: a pointer is needed")
	}
	if !json.Valid(data) {
		return nil, errSyntax
	}
	d := &decoder{data: data}
	d.value(target.Elem(), 0)
	return d.skipped, nil
}

// decoder reads a text that is known to be JSON, so that no step has to check its syntax.
type decoder struct {
	data    []byte
	off     int    // of the next byte to read
	path    []byte // of the value that is being read
	skipped []string
}

var (
	rawType  = reflect.TypeFor[json.RawMessage]()
	timeType = reflect.TypeFor[time.Time]()
)

// value reads the next value into v. It reports whether there was one: neither null nor of another type.
func (d *decoder) value(v reflect.Value, depth int) bool {
	d.space()
	if d.data[d.off] == 'n' {
		d.off += len("null")
		return false
	}
	if depth >= maxDepth {
		return d.leaveOut()
	}
	switch v.Type() {
	case rawType:
		v.SetBytes(append([]byte(nil), d.raw()...))
		return true
	case timeType:
		return d.time(v)
	}
	if v.CanAddr() {
		if u, ok := v.Addr().Interface().(json.Unmarshaler); ok {
			return d.custom(v, u)
		}
	}
	switch v.Kind() {
	case reflect.Pointer:
		p := reflect.New(v.Type().Elem())
		if !d.value(p.Elem(), depth) {
			return false
		}
		v.Set(p)
		return true
	case reflect.Struct:
		return d.object(v, depth)
	case reflect.Map:
		return d.mapping(v, depth)
	case reflect.Slice:
		return d.list(v, depth)
	case reflect.Interface:
		var some any
		if json.Unmarshal(d.raw(), &some) != nil {
			return false
		}
		v.Set(reflect.ValueOf(some))
		return true
	}
	return d.scalar(v)
}

// leaveOut passes over the next value and notes its path.
func (d *decoder) leaveOut() bool {
	d.raw()
	d.note()
	return false
}

// note adds the path of the current value to skipped.
func (d *decoder) note() {
	if len(d.skipped) < maxSkipped {
		d.skipped = append(d.skipped, string(d.path))
	}
}

// within calls do with steps added to the path.
func (d *decoder) within(do func(), step ...string) {
	n := len(d.path)
	for _, s := range step {
		d.path = append(d.path, s...)
	}
	do()
	d.path = d.path[:n]
}

// maxStep is the longest name of a member in a path, in bytes.
const maxStep = 40

func (d *decoder) member(name string, do func()) {
	name = name[:min(len(name), maxStep)]
	if len(d.path) == 0 {
		d.within(do, name)
	} else {
		d.within(do, ".", name)
	}
}

func (d *decoder) object(v reflect.Value, depth int) bool {
	if d.data[d.off] != '{' {
		return d.leaveOut()
	}
	known := fieldsOf(v.Type())
	d.members(func(name string) {
		index, ok := known[name]
		if !ok {
			d.raw()
			return
		}
		d.member(name, func() { d.value(v.FieldByIndex(index), depth+1) })
	})
	return true
}

func (d *decoder) mapping(v reflect.Value, depth int) bool {
	if d.data[d.off] != '{' || v.Type().Key().Kind() != reflect.String {
		return d.leaveOut()
	}
	m := reflect.MakeMap(v.Type())
	d.members(func(name string) {
		one := reflect.New(v.Type().Elem()).Elem()
		d.member(name, func() {
			if d.value(one, depth+1) {
				m.SetMapIndex(reflect.ValueOf(name).Convert(v.Type().Key()), one)
			}
		})
	})
	v.Set(m)
	return true
}

// list reads the elements that can be read. A struct that cannot be read becomes an empty one, so that callers can count the
// elements of a page; others are left out.
func (d *decoder) list(v reflect.Value, depth int) bool {
	if d.data[d.off] != '[' {
		return d.leaveOut()
	}
	all := reflect.MakeSlice(v.Type(), 0, 0)
	n := 0
	d.elements(func() {
		one := reflect.New(v.Type().Elem()).Elem()
		d.within(func() {
			if d.value(one, depth+1) || one.Kind() == reflect.Struct {
				all = reflect.Append(all, one)
			}
		}, "[", strconv.Itoa(n), "]")
		n++
	})
	v.Set(all)
	return true
}

// custom decodes a value with its type's UnmarshalJSON.
func (d *decoder) custom(v reflect.Value, u json.Unmarshaler) bool {
	if u.UnmarshalJSON(d.raw()) == nil {
		return true
	}
	v.SetZero()
	d.note()
	return false
}

func (d *decoder) time(v reflect.Value) bool {
	text, ok := d.text()
	t, err := time.Parse(time.RFC3339, text)
	if !ok || err != nil {
		d.note()
		return false
	}
	v.Set(reflect.ValueOf(t.UTC()))
	return true
}
