/** Stands in a bundle for what is never called there. */
module.exports = {};
