/** Value of `data_dir` that names the drawn sample data set, made in the data volume on first use. */
export const SAMPLE_DATA_SET = 'sample';
