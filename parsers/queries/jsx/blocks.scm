; Elements are blocks from tag to tag.
(jsx_opening_element ">" @open)
(jsx_closing_element) @close
(jsx_text) @text
