package form

import (
	"fmt"
	"math/big"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/dragoman-im/dragoman/core/stanza"
)

// NSValidate is the namespace of XEP-0122.
const NSValidate = "http://jabber.org/protocol/xdata-validate"

// maxPattern is the maximum length of a regular expression that is compiled, in bytes.
const maxPattern = 512

// Check is the XEP-0122 validation of a field's values.
type Check struct {
	Datatype string // xs:integer, xs:dateTime …; "" is xs:string
	Open     bool   // a list accepts values besides its options
	Min, Max string // of the value; "" is unbounded
	Regex    string
	MinItems int // of a list-multi
	MaxItems int // of a list-multi; 0 is unbounded
}

func parseCheck(e *stanza.Element) *Check {
	c := &Check{Datatype: e.Attr("datatype")}
	c.Open = e.Child(NSValidate, "open") != nil
	if r := e.Child(NSValidate, "range"); r != nil {
		c.Min, c.Max = r.Attr("min"), r.Attr("max")
	}
	c.Regex = e.ChildText(NSValidate, "regex")
	if r := e.Child(NSValidate, "list-range"); r != nil {
		c.MinItems, c.MaxItems = atoi(r.Attr("min")), atoi(r.Attr("max"))
	}
	return c
}

func (c *Check) element() *stanza.Element {
	if c == nil {
		return nil
	}
	e := stanza.NewElement(NSValidate, "validate").With("datatype", c.Datatype)
	switch { // one method only (XEP-0122 §3.2)
	case c.Regex != "":
		e.Add(stanza.TextElement(NSValidate, "regex", c.Regex))
	case c.Min != "" || c.Max != "":
		e.Add(stanza.NewElement(NSValidate, "range").With("min", c.Min).With("max", c.Max))
	case c.Open:
		e.Add(stanza.NewElement(NSValidate, "open"))
	default:
		e.Add(stanza.NewElement(NSValidate, "basic"))
	}
	if c.MinItems > 0 || c.MaxItems > 0 {
		r := stanza.NewElement(NSValidate, "list-range")
		if c.MinItems > 0 {
			r.With("min", fmt.Sprint(c.MinItems))
		}
		if c.MaxItems > 0 {
			r.With("max", fmt.Sprint(c.MaxItems))
		}
		e.Add(r)
	}
	return e
}

// extends reports whether a list accepts values besides its options (XEP-0122 §3.2).
func (c *Check) extends() bool {
	return c != nil && (c.Open || c.Min != "" || c.Max != "" || c.Regex != "")
}

// value checks one value; the error text is for the user who filled in the form.
func (c *Check) value(v string) error {
	if c == nil {
		return nil
	}
	if err := datatype(c.Datatype, v); err != nil {
		return err
	}
	if c.Min != "" && compare(c.Datatype, v, c.Min) < 0 {
		return fmt.Errorf("must be at least %s", c.Min)
	}
	if c.Max != "" && compare(c.Datatype, v, c.Max) > 0 {
		return fmt.Errorf("must be at most %s", c.Max)
	}
	if c.Regex != "" && len(c.Regex) <= maxPattern {
		re, err := regexp.Compile(`^(?:` + c.Regex + `)$`)
		if err == nil && !re.MatchString(v) { // an invalid pattern is ignored (XEP-0122 §4.1)
			return fmt.Errorf("does not have the right form")
		}
	}
	return nil
}

var integers = map[string][2]string{
	"xs:byte": {"-128", "127"}, "xs:short": {"-32768", "32767"}, "xs:int": {"-2147483648", "2147483647"},
	"xs:long": {"-9223372036854775808", "9223372036854775807"}, "xs:integer": {"", ""},
	"xs:unsignedByte": {"0", "255"}, "xs:unsignedShort": {"0", "65535"}, "xs:unsignedInt": {"0", "4294967295"},
	"xs:unsignedLong": {"0", "18446744073709551615"}, "xs:nonNegativeInteger": {"0", ""},
	"xs:positiveInteger": {"1", ""}, "xs:negativeInteger": {"", "-1"}, "xs:nonPositiveInteger": {"", "0"},
}

var times = map[string][]string{
	"xs:dateTime": {time.RFC3339Nano, "2006-01-02T15:04:05.999999999"},
	"xs:date":     {"2006-01-02", "2006-01-02Z07:00"},
	"xs:time":     {"15:04:05.999999999", "15:04:05.999999999Z07:00"},
}

// datatype checks a value against the known datatypes; others are strings (XEP-0122 §4.1).
func datatype(typ, v string) error {
	v = strings.TrimSpace(v)
	if bounds, ok := integers[typ]; ok {
		n, ok := integer(v)
		if !ok {
			return fmt.Errorf("must be a whole number")
		}
		for i, b := range bounds {
			limit, ok := integer(b)
			if ok && (i == 0 && n.Cmp(limit) < 0 || i == 1 && n.Cmp(limit) > 0) {
				return fmt.Errorf("is out of range")
			}
		}
		return nil
	}
	switch typ {
	case "xs:decimal", "xs:double", "xs:float":
		if _, ok := decimal(v); !ok {
			return fmt.Errorf("must be a number")
		}
	case "xs:boolean":
		if _, ok := ParseBool(v); !ok {
			return fmt.Errorf("must be true or false")
		}
	case "xs:anyURI":
		if u, err := url.Parse(v); err != nil || u.Scheme == "" {
			return fmt.Errorf("must be an address such as https://example.org/")
		}
	case "xs:dateTime", "xs:date", "xs:time":
		if _, ok := parseTime(typ, v); !ok {
			return fmt.Errorf("must be a %s", strings.TrimPrefix(typ, "xs:"))
		}
	}
	return nil
}

// compare orders two values of a datatype; values that cannot be ordered count as equal.
func compare(typ, a, b string) int {
	if x, ok := parseTime(typ, a); ok {
		if y, ok := parseTime(typ, b); ok {
			return x.Compare(y)
		}
		return 0
	}
	x, ok := decimal(a)
	y, ok2 := decimal(b)
	if ok && ok2 {
		return x.Cmp(y)
	}
	return 0
}

func parseTime(typ, v string) (time.Time, bool) {
	for _, layout := range times[typ] {
		if t, err := time.Parse(layout, v); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// maxDigits limits the cost of parsing large numbers.
const maxDigits = 64

func integer(v string) (*big.Int, bool) {
	if v == "" || len(v) > maxDigits || strings.ContainsAny(v, "_ ") {
		return nil, false
	}
	return new(big.Int).SetString(v, 10)
}

func decimal(v string) (*big.Float, bool) {
	if v == "" || len(v) > maxDigits || strings.ContainsAny(v, "_xXpPiInN ") {
		return nil, false
	}
	f, _, err := big.ParseFloat(v, 10, 128, big.ToNearestEven)
	return f, err == nil
}
