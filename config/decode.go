package config

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

// decoder reads a file setting by setting, so that one wrong value hides no other mistake.
type decoder struct {
	meta     toml.MetaData
	config   *Config
	problems *Problems
}

// decode reads the text of a file. The error is one of the syntax, after which nothing else can be read.
func (c *Config) decode(text string, problems *Problems) error {
	var sections map[string]toml.Primitive
	meta, err := toml.Decode(text, &sections)
	if err != nil {
		return err
	}
	d := decoder{meta, c, problems}
	own := map[string]reflect.Value{}
	for f, v := range reflect.ValueOf(c).Elem().Fields() {
		own[f.Tag.Get("toml")] = v
	}
	for _, name := range slices.Sorted(maps.Keys(sections)) {
		into, known := own[name]
		if s, ok := c.section(name); ok {
			into, known = reflect.ValueOf(s.Settings).Elem(), true
		}
		switch {
		case !known || name == "-":
			d.unknown(name, sections[name])
		case into.Kind() == reflect.Slice:
			d.list(name, sections[name], into)
		default:
			d.section(name, sections[name], into)
		}
	}
	return nil
}

// unknown reports a section that does not exist, by its settings where it has any.
func (d decoder) unknown(name string, value toml.Primitive) {
	var keys map[string]toml.Primitive
	if err := d.meta.PrimitiveDecode(value, &keys); err != nil || len(keys) == 0 {
		d.problems.add(name, "there is no such setting%s", d.config.suggestion(name))
		return
	}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		path := name + "." + key
		d.problems.add(path, "there is no such setting%s", d.config.suggestion(path))
	}
}

// list reads a list of tables, such as [[component]].
func (d decoder) list(name string, value toml.Primitive, into reflect.Value) {
	var rows []toml.Primitive
	if err := d.meta.PrimitiveDecode(value, &rows); err != nil {
		d.problems.add(name, "a list of tables is wanted: [[%s]]", name)
		return
	}
	into.Set(reflect.MakeSlice(into.Type(), len(rows), len(rows)))
	for i, row := range rows {
		d.table(fmt.Sprintf("%s[%d]", name, i), "[["+name+"]]", row, into.Index(i))
	}
}

func (d decoder) section(name string, value toml.Primitive, into reflect.Value) {
	d.table(name, "["+name+"]", value, into)
}

// table reads the settings of one table. heading is what the file should have.
func (d decoder) table(path, heading string, value toml.Primitive, into reflect.Value) {
	var keys map[string]toml.Primitive
	if err := d.meta.PrimitiveDecode(value, &keys); err != nil || keys == nil { // nil: the value is no table
		d.problems.add(path, "a table is wanted: %s", heading)
		return
	}
	fields := map[string]reflect.StructField{}
	for f := range flat(into) {
		fields[f.Tag.Get("toml")] = f
	}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		setting := path + "." + key
		f, ok := fields[key]
		if !ok {
			d.problems.add(setting, "there is no such setting%s", d.suggestion(path, key, fields))
			continue
		}
		v := into.FieldByIndex(f.Index)
		before := reflect.New(v.Type()).Elem()
		before.Set(v)
		if err := d.meta.PrimitiveDecode(keys[key], v.Addr().Interface()); err != nil {
			v.Set(before) // part of it may have been set
			d.problems.add(setting, "%s", d.wanted(f, v, keys[key], err))
		}
	}
}

// suggestion names the setting of the same table that is spelled most similarly, else one of another section.
func (d decoder) suggestion(path, key string, fields map[string]reflect.StructField) string {
	best, least := "", maxDistance
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if n := distance(name, key); n < least && n < len(key) {
			best, least = name, n
		}
	}
	if best == "" {
		return d.config.suggestion(path + "." + key)
	}
	return "; did you mean " + path + "." + best + "?"
}

// wanted says what a setting must look like, with the value that was given in the right form where possible.
func (d decoder) wanted(f reflect.StructField, v reflect.Value, value toml.Primitive, err error) string {
	if _, ok := v.Addr().Interface().(interface{ UnmarshalText([]byte) error }); ok {
		if parse, ok := errors.AsType[toml.ParseError](err); ok && parse.Message != "" {
			return parse.Message
		}
		return strings.TrimPrefix(err.Error(), "toml: ")
	}
	var given any
	if f.Tag.Get("secret") != "" || d.meta.PrimitiveDecode(value, &given) != nil {
		given = nil // a secret is not repeated
	}
	example := func(usual string) string {
		switch given.(type) {
		case string, int64, bool, float64:
			return fmt.Sprintf("%q", fmt.Sprint(given))
		}
		return usual
	}
	switch v.Kind() {
	case reflect.Bool:
		return "true or false is wanted, without quotes"
	case reflect.Int:
		return "a whole number is wanted, without quotes: " + literal(v)
	case reflect.Slice:
		return "a list is wanted: [" + example(`"…"`) + "]"
	}
	return "a text in quotes is wanted: " + example(`"…"`)
}
