// Package form is XEP-0004 data forms: parsing, building, and checking a submission
// against the form that asked for it, with the datatypes of XEP-0122 and the media
// element of XEP-0221. Forms know nothing of what carries them.
//
// A Form is a plain value without locks; its holder owns it.
//
// Specifications: XEP-0004, XEP-0068 (FORM_TYPE), XEP-0122, XEP-0221.
package form
