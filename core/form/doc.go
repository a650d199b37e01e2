// Package form implements data forms (XEP-0004): parsing, building, and checking a submission against
// its form, with the datatypes of XEP-0122 and the media element of XEP-0221.
// A Form is a plain value. There is no goroutine and no lock.
//
// Specifications: XEP-0004, XEP-0068 (FORM_TYPE), XEP-0122, XEP-0221.
package form
